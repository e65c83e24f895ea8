import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

const TRAFFIC = "muhandofranc/UssdGatewayTz docs/mno-airtel.md, smoke examples";

const said = {
  sessionId: "SMOKE-AIR",
  msisdn: "255780995191",
  phase: "unknown",
  messageId: undefined,
  network: undefined,
  echo: {},
} as const;

export const provider: Provider = {
  title: "Airtel Tanzania",
  setUp:
    "Give the operator's VAS team the address. They ask it by GET, with the answer's text " +
    "in the query: keep queries out of the access log of what stands before.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "the first input is what was dialled, without star and hash",
    source: `${TRAFFIC}; screen made up`,
    request: `
GET /?input=147*03&sessionid=SMOKE-AIR&msisdn=255780995191 HTTP/1.1
`,
    inbound: { ...said, dialled: "*147*03#", input: { kind: "latest", text: "147*03" } },
    turn: { number: 1, input: "", inputs: [] },
    reply: { action: "continue", screen: "Karibu\n1. Lipa" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Karibu
1. Lipa`,
  },
  {
    title: "digits dialled after the code are part of it",
    source: "PROTOCOLS 0, table row 3; made up",
    request: `
GET /?input=147*03*2*500&sessionid=SMOKE-AIR&msisdn=255780995191 HTTP/1.1
`,
    inbound: {
      ...said,
      dialled: "*147*03*2*500#",
      input: { kind: "latest", text: "147*03*2*500" },
    },
    turn: {
      ...{ serviceCode: "*147*03#", number: 1, input: "" },
      ...{ inputs: ["2", "500"], dialledDigits: ["2", "500"] },
    },
    reply: { action: "end", screen: "Umetuma 500" },
    response: `
HTTP/1.1 200
content-type: text/plain

END Umetuma 500`,
  },
  {
    title: "later the latest answer: it may look like a code, and the session tells",
    source: `${TRAFFIC}; screen made up`,
    request: `
GET /?input=7&sessionid=SMOKE-AIR&msisdn=255780995191 HTTP/1.1
`,
    inbound: { ...said, dialled: "*7#", input: { kind: "latest", text: "7" } },
    turn: { serviceCode: "*147*03#" },
    reply: { action: "continue", screen: "Namba ya siri – tafadhali" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Namba ya siri – tafadhali`,
  },
  {
    title: "an answer may be empty",
    source: "PROTOCOLS 14.1, Airtel; made up",
    request: `
GET /?input=&sessionid=SMOKE-AIR&msisdn=255780995191 HTTP/1.1
`,
    inbound: { ...said, dialled: undefined, input: { kind: "latest", text: "" } },
    turn: { number: 2, serviceCode: "*147*03#", inputs: [""] },
    reply: { action: "continue", screen: "Tena" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Tena`,
  },
  {
    title: "a request without input is refused on a screen",
    source: TRAFFIC,
    request: `
GET /?sessionid=SMOKE-AIR&msisdn=255780995191 HTTP/1.1
`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: text/plain

END Invalid request: input is required`,
  },
];
