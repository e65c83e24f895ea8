import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "MTN MADAPI",
  setUp:
    "Subscribe the code once with `POST /messages/ussd/subscription` at MTN's side, " +
    "`callbackUrl` being the address. The subscription is yours to make: its key is yours.",
};

export const golden: readonly GoldenSheet[] = [{ file: "mtn-madapi", free: ["ussdString"] }];

export const vectors: readonly CodecVector[] = [
  {
    title: "a begin with a text of no meaning: the service code tells",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"0","msisdn":"2252312345","serviceCode":"321123","ussdString":"Please vote for xxx."}`,
    inbound: {
      sessionId: "01235",
      msisdn: "2252312345",
      phase: "begin",
      dialled: "*321123#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: "321123" },
    },
    reply: { action: "continue", screen: "Bienvenue\n1. Oui" },
    response: `
HTTP/1.1 200
content-type: application/json

{"statusCode":"0000","statusMessage":"Success","transactionId":"01235","data":{"inboundResponse":"Bienvenue\\n1. Oui","userInputRequired":true,"messageType":1,"serviceCode":"321123","msisdn":"2252312345"}}`,
  },
  {
    title: "a begin with what was dialled after the code",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1); dial string made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"0","msisdn":"2252312345","serviceCode":"321123","ussdString":"*321123*2*500#"}`,
    inbound: {
      sessionId: "01235",
      msisdn: "2252312345",
      phase: "begin",
      dialled: "*321123*2*500#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: "321123" },
    },
    turn: { serviceCode: "*321123#", inputs: ["2", "500"], dialledDigits: ["2", "500"] },
    reply: { action: "continue", screen: "Envoyer 500 ?" },
    response: `
HTTP/1.1 200
content-type: application/json

{"statusCode":"0000","statusMessage":"Success","transactionId":"01235","data":{"inboundResponse":"Envoyer 500 ?","userInputRequired":true,"messageType":1,"serviceCode":"321123","msisdn":"2252312345"}}`,
  },
  {
    title: "a code with its star and hash goes back as it came, and a number is a type too",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1): serviceCode of the subscription",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":1,"msisdn":"2252312345","serviceCode":"*1234*356#","ussdString":"1"}`,
    inbound: {
      sessionId: "01235",
      msisdn: "2252312345",
      phase: "continue",
      dialled: "*1234*356#",
      input: { kind: "latest", text: "1" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: "*1234*356#" },
    },
    reply: { action: "end", screen: "Merci" },
    response: `
HTTP/1.1 200
content-type: application/json

{"statusCode":"0000","statusMessage":"Success","transactionId":"01235","data":{"inboundResponse":"Merci","userInputRequired":false,"messageType":2,"serviceCode":"*1234*356#","msisdn":"2252312345"}}`,
  },
  {
    title: "an answer, stars and hashes included",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1); answer and screen made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"1","msisdn":"2252312345","serviceCode":"321123","ussdString":"a*b#"}`,
    inbound: {
      sessionId: "01235",
      msisdn: "2252312345",
      phase: "continue",
      dialled: "*321123#",
      input: { kind: "latest", text: "a*b#" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: "321123" },
    },
    reply: { action: "end", screen: "C’est payé, merci" },
    response: `
HTTP/1.1 200
content-type: application/json

{"statusCode":"0000","statusMessage":"Success","transactionId":"01235","data":{"inboundResponse":"C’est payé, merci","userInputRequired":false,"messageType":2,"serviceCode":"321123","msisdn":"2252312345"}}`,
  },
  {
    title: "a cancel has a reason for a text",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"4","msisdn":"2252312345","serviceCode":"321123","ussdString":"User cancelled"}`,
    inbound: {
      sessionId: "01235",
      msisdn: "2252312345",
      phase: "abort",
      dialled: "*321123#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: "321123" },
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"statusCode":"0000","statusMessage":"Success","transactionId":"01235","data":{"inboundResponse":"","userInputRequired":false,"messageType":2,"serviceCode":"321123","msisdn":"2252312345"}}`,
  },
  {
    title: "a time-out",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"5","msisdn":"2252312345","serviceCode":"321123"}`,
    inbound: {
      sessionId: "01235",
      msisdn: "2252312345",
      phase: "abort",
      dialled: "*321123#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: "321123" },
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"statusCode":"0000","statusMessage":"Success","transactionId":"01235","data":{"inboundResponse":"","userInputRequired":false,"messageType":2,"serviceCode":"321123","msisdn":"2252312345"}}`,
  },
  {
    title: "a notification changes nothing",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"3","msisdn":"2252312345","serviceCode":"321123","ussdString":"Delivered"}`,
    inbound: {
      sessionId: "01235",
      msisdn: "2252312345",
      phase: "notice",
      dialled: "*321123#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: { serviceCode: "321123" },
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"statusCode":"0000","statusMessage":"Success","transactionId":"01235","data":{"inboundResponse":"","userInputRequired":false,"messageType":2,"serviceCode":"321123","msisdn":"2252312345"}}`,
  },
  {
    title: "a message type of no meaning is refused",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"6","msisdn":"2252312345","serviceCode":"321123","ussdString":"1"}`,
    error: "bad_field",
  },
  {
    title: "a request without msisdn is refused",
    source: "MTN MADAPI USSD v1 swagger (PROTOCOLS 13.1)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"01235","messageType":"1","serviceCode":"321123","ussdString":"1"}`,
    error: "missing_field",
  },
];
