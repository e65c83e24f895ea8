import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "docs.moolre.com/ussd at second hand; values made up";
const POST = `
POST / HTTP/1.1
content-type: application/json
`;
const OK = `
HTTP/1.1 200
content-type: application/json
`;
const said = {
  ...{ sessionId: "m1", msisdn: "233241234567", messageId: undefined, network: "MTN", echo: {} },
} as const;

export const provider: Provider = {
  title: "Moolre (Ghana)",
  setUp:
    "In the dashboard, paste the address as the callback of the extension. Codes are " +
    "registered as dialled, `*203*109#` for extension 109.",
};

/** Nobody has published an exchange. */
export const golden: readonly GoldenSheet[] = [];

export const vectors: readonly CodecVector[] = [
  {
    title: "*203*109*11005#: extension 109, and data that was dialled after it",
    source: DOCS,
    request: `${POST}
{"sessionid":"m1","new":true,"msisdn":"233241234567","network":3,"message":"","extension":109,"data":"11005"}`,
    inbound: {
      ...said,
      phase: "begin",
      dialled: "*203*109*11005#",
      input: { kind: "latest", text: "" },
    },
    turn: { serviceCode: "*203*109#", inputs: ["11005"], dialledDigits: ["11005"] },
    reply: { action: "continue", screen: "Olá ê\n1. Pay" },
    response: `${OK}
{"message":"Olá ê\\n1. Pay","reply":true}`,
  },
  {
    title: "later the latest answer, stars and hashes included",
    source: DOCS,
    request: `${POST}
{"sessionid":"m1","new":false,"msisdn":"233241234567","network":3,"message":"1*2#","extension":109,"data":""}`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: "*203*109#",
      input: { kind: "latest", text: "1*2#" },
    },
    reply: { action: "end", screen: "Bye" },
    response: `${OK}
{"message":"Bye","reply":false}`,
  },
  {
    title: "a request without a session is refused",
    source: DOCS,
    request: `${POST}
{"new":true,"msisdn":"233241234567","network":3,"extension":109}`,
    error: "missing_field",
  },
];
