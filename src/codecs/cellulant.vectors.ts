import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "Cellulant",
  setUp: "Give Cellulant the address; they ask it by GET.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "BEG has what was dialled",
    source: "praekelt/vumi, vumi/transports/cellulant/tests",
    request: `
GET /?MSISDN=27761234567&INPUT=%2A120%2A1%23&opCode=BEG&ABORT=0&sessionID=1 HTTP/1.1
`,
    inbound: {
      sessionId: "1",
      msisdn: "27761234567",
      phase: "begin",
      dialled: "*120*1#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "continue", screen: "ussd message" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

1|ussd message|null|null|null|null`,
  },
  {
    title: "without an opCode it is an answer; a hash may be one",
    source: "praekelt/vumi, vumi/transports/cellulant/tests; answer and screen made up",
    request: `
GET /?MSISDN=27761234567&INPUT=hi%23&opCode=&ABORT=0&sessionID=1 HTTP/1.1
`,
    inbound: {
      sessionId: "1",
      msisdn: "27761234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "hi#" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "end", screen: "Asante, é tudo" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

1|Asante, é tudo|null|null|end|null`,
  },
  {
    title: "ABO is over and gets an empty body",
    source: "praekelt/vumi, vumi/transports/cellulant/tests",
    request: `
GET /?MSISDN=27761234567&INPUT=&opCode=ABO&ABORT=0&sessionID=1 HTTP/1.1
`,
    inbound: {
      sessionId: "1",
      msisdn: "27761234567",
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
    title: "ABORT counts whatever opCode says",
    source: "praekelt/vumi, vumi/transports/cellulant/tests",
    request: `
GET /?MSISDN=27761234567&INPUT=&opCode=BEG&ABORT=1&sessionID=1 HTTP/1.1
`,
    inbound: {
      sessionId: "1",
      msisdn: "27761234567",
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
    title: "who left typed nothing, and need not say so",
    source: "PROTOCOLS 14.3; made up",
    request: `
GET /?MSISDN=27761234567&opCode=ABO&sessionID=1 HTTP/1.1
`,
    inbound: {
      sessionId: "1",
      msisdn: "27761234567",
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
    title: "a begin without a code is refused",
    source: "praekelt/vumi, vumi/transports/cellulant/tests; made up",
    request: `
GET /?MSISDN=27761234567&INPUT=hi&opCode=BEG&ABORT=0&sessionID=1 HTTP/1.1
`,
    error: "bad_dialled",
  },
  {
    title: "a request without sessionID is refused",
    source: "praekelt/vumi, vumi/transports/cellulant/tests",
    request: `
GET /?MSISDN=27761234567&INPUT=hi&opCode=&ABORT=0 HTTP/1.1
`,
    error: "missing_field",
  },
];
