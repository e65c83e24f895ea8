import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const VUMI = "praekelt/vumi, vumi/transports/safaricom/tests";

const said = {
  sessionId: "session-id",
  msisdn: "27761234567",
  phase: "unknown",
  dialled: "*167#",
  messageId: undefined,
  network: undefined,
  echo: {},
} as const;

export const provider: Provider = {
  title: "Safaricom (Kenya)",
  setUp:
    "Give the operator's VAS team the address. They ask it by GET, with everything typed in " +
    "the query: keep queries out of access logs.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "safaricom",
    code: "*167#",
    differs: {
      "begin, as network": "a code alone is dialled where the test dials more behind it",
      "same params twice, as application":
        "a text that brings nothing new is answered as before, not as an empty answer (DESIGN §5)",
      "same params twice, as network": "the text of an empty answer ends in a star here",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "the code alone was dialled",
    source: `${VUMI}, base code`,
    request: `
GET /?ORIG=27761234567&DEST=167&SESSION_ID=session-id&USSD_PARAMS= HTTP/1.1
`,
    inbound: { ...said, input: { kind: "history", text: "" } },
    reply: { action: "continue", screen: "Hello" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Hello`,
  },
  {
    title: "what was dialled after the code is the first text",
    source: `${VUMI}, inbound begin`,
    request: `
GET /?ORIG=27761234567&DEST=167&SESSION_ID=session-id&USSD_PARAMS=7 HTTP/1.1
`,
    inbound: { ...said, input: { kind: "history", text: "7" } },
    turn: { number: 1, input: "", inputs: ["7"], dialledDigits: ["7"] },
    reply: { action: "continue", screen: "ussd message" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON ussd message`,
  },
  {
    title: "people answer with stars",
    source: `${VUMI}, asterisks as answer; screen made up`,
    request: `
GET /?ORIG=27761234567&DEST=167&SESSION_ID=session-id&USSD_PARAMS=7%2Aa%2Ab%2A%2A%2A%2A%2A HTTP/1.1
`,
    inbound: { ...said, input: { kind: "history", text: "7*a*b*****" } },
    turn: { input: "****", inputs: ["7", "a", "b", "****"] },
    reply: { action: "end", screen: "Asante, João" },
    response: `
HTTP/1.1 200
content-type: text/plain

END Asante, João`,
  },
  {
    title: "a request without SESSION_ID is refused on a screen",
    source: `${VUMI}, missing parameters`,
    request: `
GET /?ORIG=27761234567&DEST=167&USSD_PARAMS=7 HTTP/1.1
`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: text/plain

END Invalid request: SESSION_ID is required`,
  },
];
