import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const SOURCE = "harmonizerblinks/ussd-builder, lib/ussd-menu.js; values made up";
const OK = `
HTTP/1.1 200
content-type: application/json
`;
const said = {
  ...{ sessionId: "s1", msisdn: "23276123456", messageId: undefined, network: "Orange" },
} as const;

export const provider: Provider = {
  title: "SouthPawsl (Sierra Leone, Ghana)",
  setUp:
    "Give them the address. The wire is known from one library alone: try it before you " +
    "rely on it.",
};

/** Nobody has published an exchange. */
export const golden: readonly GoldenSheet[] = [];

export const vectors: readonly CodecVector[] = [
  {
    title: "a dial has its code twice; what came is echoed",
    source: SOURCE,
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"s1","menuId":7,"ussdString":"*365#","ussdParameters":["a"],"msisdn":"23276123456","inputOption":"*365#","network":"Orange"}`,
    inbound: {
      ...said,
      phase: "begin",
      dialled: "*365#",
      input: { kind: "latest", text: "" },
      echo: { code: "*365#", option: "*365#", menu: "7", parameters: '["a"]' },
    },
    reply: { action: "continue", screen: "Olá ê\n1. Balance" },
    response: `${OK}
{"message":"Olá ê\\n1. Balance","state":"CONTINUE","menuId":7,"ussdString":"*365#","option":"*365#","ussdParameter":["a"]}`,
  },
  {
    title: "later the latest answer, stars and hashes included",
    source: SOURCE,
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionId":"s1","menuId":"7","ussdString":"*365#","msisdn":"23276123456","inputOption":"1*2#","network":"Orange"}`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: "*365#",
      input: { kind: "latest", text: "1*2#" },
      echo: { code: "*365#", option: "1*2#", menu: '"7"', parameters: "[]" },
    },
    reply: { action: "end", screen: "Bye" },
    response: `${OK}
{"message":"Bye","state":"END","menuId":"7","ussdString":"*365#","option":"1*2#","ussdParameter":[]}`,
  },
  {
    title: "a request without a session is refused",
    source: SOURCE,
    request: `
POST / HTTP/1.1
content-type: application/json

{"ussdString":"*365#","msisdn":"23276123456","inputOption":"*365#"}`,
    error: "missing_field",
  },
];
