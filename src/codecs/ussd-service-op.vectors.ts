import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "Uzo (Mobiverse), Korba, TxtGhana",
  setUp: "Give them the address, and set `preset` to whose it is.",
};

export const golden: readonly GoldenSheet[] = [
  { file: "uzo" },
  { file: "korba", options: { preset: "korba" } },
  { file: "txtghana", options: { preset: "txtghana" } },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "Uzo begins with 1 and the code as dialled",
    source: "mobiverse-solutions.github.io/uzo-documentation",
    request: `
POST / HTTP/1.1
content-type: application/json

{"ussdString":"*1234#","ussdServiceOp":"1","msisdn":"+233111111111","sessionID":"12341235123","network":"06","code":"*1234#","country":"GH"}`,
    inbound: {
      sessionId: "12341235123",
      msisdn: "233111111111",
      phase: "begin",
      dialled: "*1234#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "06",
      echo: {},
    },
    reply: { action: "continue", screen: "Welcome\n1. Pay" },
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"Welcome\\n1. Pay","ussdServiceOp":2}`,
  },
  {
    title: "18 is an answer, stars and hashes included",
    source: "mobiverse-solutions.github.io/uzo-documentation; answer and screen made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"ussdString":"a*b#","ussdServiceOp":"18","msisdn":"+233111111111","sessionID":"12341235123","network":"06","code":"*1234#","country":"GH"}`,
    inbound: {
      sessionId: "12341235123",
      msisdn: "233111111111",
      phase: "continue",
      dialled: "*1234#",
      input: { kind: "latest", text: "a*b#" },
      messageId: undefined,
      network: "06",
      echo: {},
    },
    reply: { action: "end", screen: "Merci, à bientôt" },
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"Merci, à bientôt","ussdServiceOp":17}`,
  },
  {
    title: "from 29 on it is over",
    source: "mobiverse-solutions.github.io/uzo-documentation",
    request: `
POST / HTTP/1.1
content-type: application/json

{"ussdString":"","ussdServiceOp":"29","msisdn":"+233111111111","sessionID":"12341235123","network":"06","code":"*1234#","country":"GH"}`,
    inbound: {
      sessionId: "12341235123",
      msisdn: "233111111111",
      phase: "abort",
      dialled: "*1234#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "06",
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"","ussdServiceOp":17}`,
  },
  {
    title: "Korba sends no number: what looks like a code begins",
    source: "cybersai/ussd tests, Korba and TxtGhana",
    options: { preset: "korba" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":"1234","msisdn":"233234567890","network":"1","ussdString":"*365#"}`,
    inbound: {
      sessionId: "1234",
      msisdn: "233234567890",
      phase: "begin",
      dialled: "*365#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "1",
      echo: {},
    },
    reply: { action: "end", screen: "I am simple" },
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"I am simple","ussdServiceOp":17}`,
  },
  {
    title: "and all else is an answer",
    source: "cybersai/ussd tests; answer and screen made up",
    options: { preset: "txtghana" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":"1234","msisdn":"233234567890","network":"1","ussdString":"2"}`,
    inbound: {
      sessionId: "1234",
      msisdn: "233234567890",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "2" },
      messageId: undefined,
      network: "1",
      echo: {},
    },
    reply: { action: "continue", screen: "Amount?" },
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"Amount?","ussdServiceOp":2}`,
  },
  {
    title: "a number of no meaning is refused",
    source: "mobiverse-solutions.github.io/uzo-documentation",
    request: `
POST / HTTP/1.1
content-type: application/json

{"ussdString":"1","ussdServiceOp":"7","msisdn":"+233111111111","sessionID":"12341235123","network":"06","code":"*1234#","country":"GH"}`,
    error: "bad_field",
  },
  {
    title: "a request without ussdString is refused",
    source: "mobiverse-solutions.github.io/uzo-documentation",
    request: `
POST / HTTP/1.1
content-type: application/json

{"ussdServiceOp":"18","msisdn":"+233111111111","sessionID":"12341235123","network":"06","code":"*1234#","country":"GH"}`,
    error: "missing_field",
  },
];
