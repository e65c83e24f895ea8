import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "Nsano (Ghana)",
  setUp: "Give Nsano the address.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "the first msg is the code as dialled",
    source: "cybersai/ussd tests",
    request: `
POST / HTTP/1.1
content-type: application/json

{"UserSessionID":"1234","msisdn":"233234567890","network":"VOD","msg":"*365#"}`,
    inbound: {
      sessionId: "1234",
      msisdn: "233234567890",
      phase: "begin",
      dialled: "*365#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "VOD",
      echo: {},
    },
    reply: { action: "end", screen: "I am simple" },
    response: `
HTTP/1.1 200
content-type: application/json

{"USSDResp":{"action":"prompt","menus":"","title":"I am simple"}}`,
  },
  {
    title: "digits dialled after the code are part of it",
    source: "PROTOCOLS 0, table row 3; made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"UserSessionID":"1234","msisdn":"233234567890","network":"VOD","msg":"*365*2*500#"}`,
    inbound: {
      sessionId: "1234",
      msisdn: "233234567890",
      phase: "begin",
      dialled: "*365*2*500#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "VOD",
      echo: {},
    },
    turn: { serviceCode: "*365#", inputs: ["2", "500"], dialledDigits: ["2", "500"] },
    reply: { action: "continue", screen: "Send 500?\n1. Yes" },
    response: `
HTTP/1.1 200
content-type: application/json

{"USSDResp":{"action":"input","menus":"","title":"Send 500?\\n1. Yes"}}`,
  },
  {
    title: "later the latest answer, stars and hashes included",
    source: "cybersai/ussd tests; answer and screen made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"UserSessionID":"1234","msisdn":"233234567890","network":"VOD","msg":"a*b #+5%"}`,
    inbound: {
      sessionId: "1234",
      msisdn: "233234567890",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "a*b #+5%" },
      messageId: undefined,
      network: "VOD",
      echo: {},
    },
    reply: { action: "continue", screen: "Êtes-vous sûr ?" },
    response: `
HTTP/1.1 200
content-type: application/json

{"USSDResp":{"action":"input","menus":"","title":"Êtes-vous sûr ?"}}`,
  },
  {
    title: "a request without UserSessionID is refused",
    source: "cybersai/ussd tests",
    request: `
POST / HTTP/1.1
content-type: application/json

{"msisdn":"233234567890","network":"VOD","msg":"1"}`,
    error: "missing_field",
  },
];
