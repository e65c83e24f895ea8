import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet, GoldenVector } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "vumi transports/infobip, quoting Infobip's HTTP/REST/JSON interface";
const FLAT = "PROTOCOLS 11, the flat variant of mNotify and Vodafone Ghana";
const OK = `
HTTP/1.1 200
content-type: application/json
`;
const said = {
  ...{ sessionId: "1", msisdn: "385955363443", messageId: undefined },
  ...{ network: "11", echo: {} },
} as const;

const restVectors: readonly CodecVector[] = [
  {
    title: "a start has its code in shortCode, digits dialled after it included",
    source: DOCS,
    request: `
POST /session/1/start HTTP/1.1
content-type: application/json

{"msisdn":"385955363443","imsi":"429011234567890","shortCode":"*123#1#","optional":"o=1","ussdGwId":"11","language":null,"text":"hello"}`,
    inbound: {
      ...said,
      phase: "begin",
      dialled: "*123*1#",
      input: { kind: "latest", text: "" },
    },
    turn: { serviceCode: "*123#", dialledDigits: ["1"] },
    reply: { action: "continue", screen: "Olá\n1. Saldo" },
    response: `${OK}
{"ussdMenu":"Olá\\n1. Saldo","shouldClose":false,"responseExitCode":200,"responseMessage":""}`,
  },
  {
    title: "a response has what was typed, stars and hashes included",
    source: DOCS,
    request: `
POST /session/1/response HTTP/1.1
content-type: application/json

{"msisdn":"385955363443","shortCode":"*123#","ussdGwId":"11","text":"1*2#"}`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: "*123#",
      input: { kind: "latest", text: "1*2#" },
    },
    reply: { action: "end", screen: "No thanks." },
    response: `${OK}
{"ussdMenu":"No thanks.","shouldClose":true,"responseExitCode":200,"responseMessage":""}`,
  },
  {
    title: "a response of a dialogue that is not there is an error in the body",
    source: DOCS,
    request: `
POST /session/1/response HTTP/1.1
content-type: application/json

{"msisdn":"385955363443","shortCode":"*123#","ussdGwId":"11","text":"1"}`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: "*123#",
      input: { kind: "latest", text: "1" },
    },
    failure: "session_lost",
    reply: { action: "end", screen: "Session ended. Please dial again." },
    response: `${OK}
{"responseExitCode":400,"responseMessage":"Invalid USSD session '1'"}`,
  },
  {
    title: "an end names no subscriber, and is acknowledged",
    source: DOCS,
    request: `
PUT /session/1/end HTTP/1.1
content-type: application/json

{"reason":"ok","exitCode":0}`,
    inbound: {
      ...said,
      msisdn: undefined,
      network: undefined,
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
    },
    reply: undefined,
    response: `${OK}
{"responseExitCode":200,"responseMessage":""}`,
  },
  {
    title: "what is no JSON is refused under status 200",
    source: DOCS,
    request: `
POST /session/1/start HTTP/1.1
content-type: application/json

not json at all`,
    error: "bad_body",
    response: `${OK}
{"responseExitCode":400,"responseMessage":"Invalid JSON"}`,
  },
  {
    title: "a start without a subscriber is refused",
    source: DOCS,
    request: `
POST /session/1/start HTTP/1.1
content-type: application/json

{"shortCode":"*123#","ussdGwId":"11","text":""}`,
    error: "missing_field",
    response: `${OK}
{"responseExitCode":400,"responseMessage":"Missing required JSON field: msisdn"}`,
  },
  {
    title: "another method than the address is for is refused",
    source: DOCS,
    request: `
GET /session/1/start HTTP/1.1
`,
    error: "bad_field",
    response: `${OK}
{"responseExitCode":400,"responseMessage":"use POST for start"}`,
  },
];

const flatVectors: readonly CodecVector[] = [
  {
    title: "flat: one address for all, and the dial is a text like *766#",
    source: FLAT,
    options: { form: "flat" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"shortCode":"766","msIsdn":"233208444900","text":"*766#","imsi":"","optional":"","ussdGwId":"Vodafone","language":"null","sessId":"5927584357"}`,
    inbound: {
      ...said,
      ...{ sessionId: "5927584357", msisdn: "233208444900", network: "Vodafone" },
      phase: "begin",
      dialled: "*766#",
      input: { kind: "latest", text: "" },
      echo: { form: "flat" },
    },
    reply: { action: "continue", screen: "1. Balance\n2. Buy Data" },
    response: `${OK}
{"ussdMenu":"1. Balance\\r\\n2. Buy Data","shouldClose":false,"responseExitCode":200,"responseMessage":"OK"}`,
  },
  {
    title: "flat: later the latest answer, of which an empty one may be missing",
    source: FLAT,
    options: { form: "flat" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"shortCode":"766","msIsdn":"233208444900","ussdGwId":"Vodafone","sessId":"5927584357"}`,
    inbound: {
      ...said,
      ...{ sessionId: "5927584357", msisdn: "233208444900", network: "Vodafone" },
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      echo: { form: "flat" },
    },
    reply: { action: "end", screen: "Bye" },
    response: `${OK}
{"ussdMenu":"Bye","shouldClose":true,"responseExitCode":200,"responseMessage":"OK"}`,
  },
];

export const provider: Provider = {
  title: "Infobip; the one-address form is mNotify's own codes' and Vodafone Ghana's",
  setUp:
    "Give Infobip the address: it asks below it, at `/session/{id}/start`, `/response`, " +
    "`/end` and `/status`. The one-address form asks at the address itself.",
};

export const vectors: readonly CodecVector[] = [...restVectors, ...flatVectors];

export const golden: readonly GoldenSheet[] = [
  {
    file: "infobip",
    mountedAt: "",
    code: (vector: GoldenVector) => (vector.expect?.event === "begin" ? "*123#" : undefined),
    free: ["imsi", "optional", "language", "text"],
    differs: {
      start: '"*123#1#" is read as a digit dialled after *123#, which backends are then fed',
      "response and close, as network": "a later request has the code alone in shortCode",
      "start twice": "a start that comes again is answered with its screen again",
      "response for unknown session": "the session's part; own vectors have the answer",
    },
  },
];
