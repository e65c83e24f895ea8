import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "HollaTags (Nigeria)",
  setUp: "In the dashboard, paste the address as the inbound URL of the USSD service.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "hollatags",
    free: ["session_msg"],
    differs: {
      "end reply, as application": "the id goes back as the text that it came as",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "a begin; its message is not read and may be left out",
    source: "docs.hollatags.com/ussd/inbound",
    request: `
GET /?session_msisdn=2347000000000&session_id=5456657676&session_from=%2A7006%23&session_mno=MTN&session_operation=begin&session_type=1 HTTP/1.1
`,
    inbound: {
      sessionId: "5456657676",
      msisdn: "2347000000000",
      phase: "begin",
      dialled: "*7006#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "MTN",
      echo: {},
    },
    reply: {
      action: "continue",
      screen: "Welcome to Holla tags ticket\n1: Book Bus Tickets\n2: Terms & Condition",
    },
    response: `
HTTP/1.1 200
content-type: application/json

{"session_operation":"continue","session_type":1,"session_id":"5456657676","session_msg":"Welcome to Holla tags ticket\\r\\n1: Book Bus Tickets\\r\\n2: Terms & Condition"}`,
  },
  {
    title: "an answer, by POST with a form",
    source: "docs.hollatags.com/ussd/inbound; answer and screen made up",
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

session_msisdn=2347000000000&session_id=5456657676&session_from=%2A7006%23&session_mno=MTN&session_operation=continue&session_type=1&session_msg=a*b%23`,
    inbound: {
      sessionId: "5456657676",
      msisdn: "2347000000000",
      phase: "continue",
      dialled: "*7006#",
      input: { kind: "latest", text: "a*b#" },
      messageId: undefined,
      network: "MTN",
      echo: {},
    },
    reply: { action: "end", screen: "Thank you – bye." },
    response: `
HTTP/1.1 200
content-type: application/json

{"session_operation":"end","session_type":4,"session_id":"5456657676","session_msg":"Thank you – bye."}`,
  },
  {
    title: "an end is a notice",
    source: "docs.hollatags.com/ussd/inbound",
    request: `
GET /?session_msisdn=2347000000000&session_id=5456657676&session_from=%2A7006%23&session_mno=MTN&session_operation=end&session_type=4 HTTP/1.1
`,
    inbound: {
      sessionId: "5456657676",
      msisdn: "2347000000000",
      phase: "abort",
      dialled: "*7006#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "MTN",
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"session_operation":"end","session_type":4,"session_id":"5456657676","session_msg":""}`,
  },
  {
    title: "a request without session_id is refused",
    source: "docs.hollatags.com/ussd/inbound",
    request: `
GET /?session_msisdn=2347000000000&session_operation=begin&session_from=%2A7006%23 HTTP/1.1
`,
    error: "missing_field",
  },
];
