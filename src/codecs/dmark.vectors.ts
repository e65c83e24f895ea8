import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "DMark (Uganda)",
  setUp: "Give DMark the address; they ask it by GET.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "dmark",
    standIns: { "00775551122": "256775551122" },
    free: ["transactionTime", "creationTime"],
    differs: {
      "begin (request string ignored), as network": "what is ignored of a dial is the code here",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "an unknown transactionId begins, whatever the request string",
    source: "praekelt/vumi, vumi/transports/dmark/tests; its number is made up, this one too",
    request: `
GET /?transactionId=transaction-123&msisdn=%2B256775551122&ussdServiceCode=%2A121%23&transactionTime=1389971940&creationTime=1389971950&response=false&ussdRequestString=*121%23 HTTP/1.1
`,
    inbound: {
      sessionId: "transaction-123",
      msisdn: "256775551122",
      phase: "unknown",
      dialled: "*121#",
      input: { kind: "latest", text: "*121#" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    turn: { number: 1, input: "", inputs: [] },
    reply: { action: "continue", screen: "We are the Knights Who Say ... Ni!" },
    response: `
HTTP/1.1 200
content-type: application/json

{"responseString":"We are the Knights Who Say ... Ni!","action":"request"}`,
  },
  {
    title: "later the request string is the answer",
    source:
      "praekelt/vumi, vumi/transports/dmark/tests; its number is made up, this one too; screen made up",
    request: `
GET /?transactionId=transaction-123&msisdn=%2B256775551122&ussdServiceCode=%2A121%23&transactionTime=1389971940&creationTime=1389971950&response=false&ussdRequestString=a*b%23 HTTP/1.1
`,
    inbound: {
      sessionId: "transaction-123",
      msisdn: "256775551122",
      phase: "unknown",
      dialled: "*121#",
      input: { kind: "latest", text: "a*b#" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "end", screen: "Un arbuste, s’il vous plaît" },
    response: `
HTTP/1.1 200
content-type: application/json

{"responseString":"Un arbuste, s’il vous plaît","action":"end"}`,
  },
  {
    title: "an unencoded plus arrives as a space, and an answer may be empty",
    source: "RELIABILITY 2.6; made up",
    request: `
GET /?transactionId=transaction-123&msisdn=+256775551122&ussdServiceCode=%2A121%23&transactionTime=1389971940&creationTime=1389971950&response=false&ussdRequestString= HTTP/1.1
`,
    inbound: {
      sessionId: "transaction-123",
      msisdn: "256775551122",
      phase: "unknown",
      dialled: "*121#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    turn: { number: 2, inputs: [""] },
    reply: { action: "continue", screen: "Again?" },
    response: `
HTTP/1.1 200
content-type: application/json

{"responseString":"Again?","action":"request"}`,
  },
  {
    title: "a request without ussdServiceCode is refused",
    source: "praekelt/vumi, vumi/transports/dmark/tests; its number is made up, this one too",
    request: `
GET /?transactionId=1&msisdn=%2B256775551122&ussdRequestString=1 HTTP/1.1
`,
    error: "missing_field",
  },
];
