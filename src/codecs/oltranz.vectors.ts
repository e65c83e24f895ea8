import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "Oltranz (Rwanda)",
  setUp: "Give Oltranz the address.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "oltranz",
    free: ["transactionId", "requestTime"],
    differs: {
      "documented pair, as application":
        "newRequest flips in the sample, and nobody says why: it goes back as it came",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "numbers go back digit for digit, those beyond 2^53 too",
    source: "developers.oltranz.com/ussdgateway/objects.html; PROTOCOLS 0, rule 6; ids made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"1","response":"","action":"CON","transactionId":171632898024603649,"newRequest":0,"charge":"N","amount":0.0}`,
    inbound: {
      sessionId: "13245200800899890",
      msisdn: "250780000001",
      phase: "continue",
      dialled: "*123#",
      input: { kind: "latest", text: "1" },
      messageId: undefined,
      network: undefined,
      echo: {
        body: `{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"1","response":"","action":"CON","transactionId":171632898024603649,"newRequest":0,"charge":"N","amount":0.0}`,
      },
    },
    reply: { action: "end", screen: "Murakoze" },
    response: `
HTTP/1.1 200
content-type: application/json;charset=UTF-8

{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"1","response":"Murakoze","action":"END","transactionId":171632898024603649,"newRequest":0,"charge":"N","amount":0.0}`,
  },
  {
    title: "an empty text is the first, and the whole object goes back",
    source: "developers.oltranz.com/ussdgateway/objects.html",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"","response":"","action":"CON","transactionId":"","requestTime":"2019-01-01 02:10:10","newRequest":0,"charge":"N","amount":0}`,
    inbound: {
      sessionId: "13245200800899890",
      msisdn: "250780000001",
      phase: "unknown",
      dialled: "*123#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {
        body: '{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"","response":"","action":"CON","transactionId":"","requestTime":"2019-01-01 02:10:10","newRequest":0,"charge":"N","amount":0}',
      },
    },
    reply: { action: "end", screen: "UNKOWN APPLICATION" },
    response: `
HTTP/1.1 200
content-type: application/json;charset=UTF-8

{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"","response":"UNKOWN APPLICATION","action":"END","transactionId":"","requestTime":"2019-01-01 02:10:10","newRequest":0,"charge":"N","amount":0}`,
  },
  {
    title: "later the latest answer, stars and hashes included",
    source: "developers.oltranz.com/ussdgateway/objects.html; answer and screen made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"a*b#","response":"","action":"CON","transactionId":"","requestTime":"2019-01-01 02:10:10","newRequest":0,"charge":"N","amount":0}`,
    inbound: {
      sessionId: "13245200800899890",
      msisdn: "250780000001",
      phase: "continue",
      dialled: "*123#",
      input: { kind: "latest", text: "a*b#" },
      messageId: undefined,
      network: undefined,
      echo: {
        body: '{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"a*b#","response":"","action":"CON","transactionId":"","requestTime":"2019-01-01 02:10:10","newRequest":0,"charge":"N","amount":0}',
      },
    },
    reply: { action: "continue", screen: "Êtes-vous sûr ?\n1. Oui" },
    response: `
HTTP/1.1 200
content-type: application/json;charset=UTF-8

{"sessionId":"13245200800899890","serviceCode":"123","phoneNumber":"250780000001","text":"a*b#","response":"Êtes-vous sûr ?\\n1. Oui","action":"CON","transactionId":"","requestTime":"2019-01-01 02:10:10","newRequest":0,"charge":"N","amount":0}`,
  },
  {
    title: "a request without phoneNumber is refused",
    source: "developers.oltranz.com/ussdgateway/objects.html",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"1","serviceCode":"123","text":""}`,
    error: "missing_field",
  },
];
