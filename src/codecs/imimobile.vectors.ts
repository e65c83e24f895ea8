import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "IMImobile (India)",
  setUp:
    "Give them one address for each code: the wire carries none, so each channel needs " +
    "`service_code`.",
  options: { service_code: "*365#" },
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "imimobile",
    free: ["tid", "dcs", "code"],
    differs: { "begin, as network": "a dial says what was dialled here, no text" },
    options: {
      service_code: "*56263#",
      abortPrefix: "Farewell",
      abortReply: "You have ended the session",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "the number is all there is; the first msg is no answer",
    source: "praekelt/vumi, vumi/transports/imimobile/tests; values made up",
    options: { service_code: "*56263#" },
    request: `
GET /?msisdn=9221234567&tid=1&dcs=15&code=56263&msg=*56263%23 HTTP/1.1
`,
    inbound: {
      sessionId: undefined,
      msisdn: "9221234567",
      phase: "unknown",
      dialled: "*56263#",
      input: { kind: "latest", text: "*56263#" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    turn: { number: 1, input: "", inputs: [] },
    reply: { action: "continue", screen: "We are the Knights Who Say ... Ni!" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
x-ussd-session: 1

We are the Knights Who Say ... Ni!`,
  },
  {
    title: "later the latest answer",
    source: "praekelt/vumi, vumi/transports/imimobile/tests; screen made up",
    options: { service_code: "*56263#" },
    request: `
GET /?msisdn=9221234567&tid=1&dcs=15&code=56263&msg=Well%2C+what%3F HTTP/1.1
`,
    inbound: {
      sessionId: undefined,
      msisdn: "9221234567",
      phase: "unknown",
      dialled: "*56263#",
      input: { kind: "latest", text: "Well, what?" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "end", screen: "Un arbuste, s’il vous plaît" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
x-ussd-session: 0

Un arbuste, s’il vous plaît`,
  },
  {
    title: "an answer may be empty",
    source: "praekelt/vumi, vumi/transports/imimobile/tests; made up",
    options: { service_code: "*56263#" },
    request: `
GET /?msisdn=9221234567&tid=1&dcs=15&code=56263&msg= HTTP/1.1
`,
    inbound: {
      sessionId: undefined,
      msisdn: "9221234567",
      phase: "unknown",
      dialled: "*56263#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    turn: { number: 2, inputs: [""] },
    reply: { action: "continue", screen: "Again?" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
x-ussd-session: 1

Again?`,
  },
  {
    title: "that the subscriber left is a text of the operator",
    source: "PROTOCOLS 14.5",
    options: { service_code: "*56263#" },
    request: `
GET /?msisdn=9221234567&tid=1&dcs=15&code=56263&msg=Map+Dialog+User+Abort+User+Reason HTTP/1.1
`,
    inbound: {
      sessionId: undefined,
      msisdn: "9221234567",
      phase: "abort",
      dialled: "*56263#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
x-ussd-session: 0

You have ended the session`,
  },
  {
    title: "a request without msg is refused",
    source: "praekelt/vumi, vumi/transports/imimobile/tests",
    request: `
GET /?msisdn=9221234567&tid=1&code=56263 HTTP/1.1
`,
    error: "missing_field",
  },
];
