import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: `Comviva Flares "HTTP Pull": Airtel and others`,
  setUp:
    "Give the operator the address for both the pull and the clean-up URL; clean-up calls " +
    "end sessions. Tmcel (Mozambique) may run it: set `dialect` to what they send.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "airtel-flares",
    free: ["MSC"],
    code: ({ expect }) => (expect?.dialled?.startsWith("*167") ? "*167#" : undefined),
    standIns: { "254XXXXXXXXX": "254712345678" },
    differs: {
      "strip leading newline of reply, as network": "the newline never was on the wire",
      "cleanup of unknown session":
        "what is no session is acknowledged all the same; its msisdn is no number",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "the first input is what was dialled, without star and hash",
    source: "praekelt/vumi, vumi/transports/airtel/tests",
    request: `
GET /?MSISDN=27761234567&MSC=msc&input=167%2A7&SessionID=session-id HTTP/1.1
`,
    inbound: {
      sessionId: "session-id",
      msisdn: "27761234567",
      phase: "unknown",
      dialled: "*167*7#",
      input: { kind: "latest", text: "167*7" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    turn: { number: 1, input: "", inputs: [] },
    reply: { action: "continue", screen: "ussd message" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
freeflow: FC
charge: N
amount: 0

ussd message`,
  },
  {
    title: "later the latest answer: the session tells",
    source: "praekelt/vumi, vumi/transports/airtel/tests; screen made up",
    request: `
GET /?MSISDN=27761234567&MSC=msc&input=%2A%2A%2A%2A&SessionID=session-id HTTP/1.1
`,
    inbound: {
      sessionId: "session-id",
      msisdn: "27761234567",
      phase: "unknown",
      dialled: undefined,
      input: { kind: "latest", text: "****" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "end", screen: "Olá, João" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
freeflow: FB
charge: N
amount: 0

Olá, João`,
  },
  {
    title: "an answer may be empty",
    source: "praekelt/vumi, vumi/transports/airtel/tests",
    request: `
GET /?MSISDN=27761234567&MSC=msc&input=&SessionID=session-id HTTP/1.1
`,
    inbound: {
      sessionId: "session-id",
      msisdn: "27761234567",
      phase: "unknown",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    turn: { number: 2, inputs: [""] },
    reply: { action: "continue", screen: "Hello" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
freeflow: FC
charge: N
amount: 0

Hello`,
  },
  {
    title: "the clean-up call in production has values without names",
    source:
      "praekelt/vumi, vumi/transports/airtel/tests; its numbers are masked, these are made up",
    request: `
GET /?msisdn=254711000111&clean=cleann&error=523&SessionID=13697502734175597&MSC=254711000999&=&=en&=9031510005344&=&=&=postpaid HTTP/1.1
`,
    inbound: {
      sessionId: "13697502734175597",
      msisdn: "254711000111",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

`,
  },
  {
    title: "a request without MSC is told so as Airtel expects",
    source: "praekelt/vumi, vumi/transports/airtel/tests",
    request: `
GET /?MSISDN=123456&input=7%2Aa&SessionID=foo HTTP/1.1
`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: application/json

{"missing_parameter":["MSC"]}`,
  },
  {
    title: "the dialect of bluteki/ussd flags a new request",
    source: "bluteki/ussd, src/Gateway/Flares; values made up",
    options: { dialect: "bluteki" },
    request: `
GET /?msisdn=258821234567&sessionid=9&type=1&msg=*123%23 HTTP/1.1
`,
    inbound: {
      sessionId: "9",
      msisdn: "258821234567",
      phase: "begin",
      dialled: "*123#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "continue", screen: "Bem-vindo" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
freeflow: FC
charge: N
amount: 0
cprefid: 

Bem-vindo`,
  },
  {
    title: "and an existing one",
    source: "bluteki/ussd, src/Gateway/Flares; values made up",
    options: { dialect: "bluteki" },
    request: `
GET /?msisdn=258821234567&sessionid=9&type=0&msg=1 HTTP/1.1
`,
    inbound: {
      sessionId: "9",
      msisdn: "258821234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "end", screen: "Adeus" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
freeflow: FB
charge: N
amount: 0
cprefid: 

Adeus`,
  },
  {
    title: "any other type is over",
    source: "bluteki/ussd, src/Gateway/Flares; values made up",
    options: { dialect: "bluteki" },
    request: `
GET /?msisdn=258821234567&sessionid=9&type=2&msg= HTTP/1.1
`,
    inbound: {
      sessionId: "9",
      msisdn: "258821234567",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

`,
  },
];
