import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const OURS = "our proposal: nothing is published (PROTOCOLS 3.6)";
const POST = `
POST / HTTP/1.1
content-type: application/json
`;
const OK = `
HTTP/1.1 200
content-type: application/json
`;
const said = {
  ...{ sessionId: "t1", msisdn: "258821234567", dialled: "*105#", network: undefined, echo: {} },
} as const;

export const provider: Provider = {
  title: "A wire of one's own, described in configuration; Tmcel (Mozambique), unverified",
  setUp:
    "Write the description as [docs/declarative.md](../declarative.md) shows, run " +
    "`dialyard check-codec` against the provider's test system, then paste the address. The " +
    "`tmcel` preset is a proposal: ask Tmcel for its document and correct the names.",
};

/** Nobody has published an exchange. */
export const golden: readonly GoldenSheet[] = [];

export const vectors: readonly CodecVector[] = [
  {
    title: "tmcel: a begin",
    source: OURS,
    request: `${POST}
{"session_id":"t1","transaction_id":"m1","msisdn":"258821234567","service_code":"*105#","type":"begin","input":""}`,
    inbound: {
      ...said,
      phase: "begin",
      input: { kind: "latest", text: "" },
      messageId: "m1",
    },
    reply: { action: "continue", screen: "Olá\n1. Saldo" },
    response: `${OK}
{"session_id":"t1","transaction_id":"m1","message":"Olá\\n1. Saldo","action":"continue"}`,
  },
  {
    title: "tmcel: an answer, and the last screen",
    source: OURS,
    request: `${POST}
{"session_id":"t1","transaction_id":"m2","msisdn":"258821234567","service_code":"*105#","type":"continue","input":"1*2#"}`,
    inbound: {
      ...said,
      phase: "continue",
      input: { kind: "latest", text: "1*2#" },
      messageId: "m2",
    },
    reply: { action: "end", screen: "Saldo: 10 MT" },
    response: `${OK}
{"session_id":"t1","transaction_id":"m2","message":"Saldo: 10 MT","action":"end"}`,
  },
  {
    title: "tmcel: it is over",
    source: OURS,
    request: `${POST}
{"session_id":"t1","transaction_id":"m3","msisdn":"258821234567","service_code":"*105#","type":"end"}`,
    inbound: {
      ...said,
      phase: "abort",
      input: { kind: "latest", text: "" },
      messageId: "m3",
    },
    reply: undefined,
    response: `${OK}
{"session_id":"t1","transaction_id":"m3","message":"","action":"end"}`,
  },
  {
    title: "tmcel: no session",
    source: OURS,
    request: `${POST}
{"msisdn":"258821234567","service_code":"*105#","type":"begin","input":""}`,
    error: "missing_field",
  },
];
