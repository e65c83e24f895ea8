import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "docs.beem.africa/ussd, as quoted in code";

const said = {
  sessionId: "689970",
  msisdn: "255692189307",
  dialled: "*150*60#",
  messageId: undefined,
  network: "tigotz",
  echo: { request_id: "1" },
} as const;

export const provider: Provider = {
  title: "Beem Africa (Tanzania)",
  setUp:
    "Paste the address as the callback of the USSD application. No code is on the wire: the " +
    "channel needs `service_code`, and each code a channel.",
  options: { service_code: "*150*60#" },
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "beem",
    free: ["payload.request_id"],
    differs: { "initiate (payload quoted in code), as network": "ours says the code, too" },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "a dial names no code: the channel has one",
    source: `${DOCS}; screen made up`,
    options: { service_code: "*150*60#" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"command":"initiate","msisdn":"255692189307","session_id":"689970","operator":"tigotz","payload":{"request_id":1,"response":0}}`,
    inbound: { ...said, phase: "begin", input: { kind: "latest", text: "" } },
    reply: { action: "continue", screen: "Karibu\n1. Salio", memo: "1" },
    response: `
HTTP/1.1 200
content-type: application/json

{"msisdn":"255692189307","operator":"tigotz","session_id":"689970","command":"continue","payload":{"request_id":1,"request":"Karibu\\n1. Salio"}}`,
  },
  {
    title: "0 is an answer as good as any",
    source: `${DOCS}; made up`,
    options: { service_code: "*150*60#" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"command":"continue","msisdn":"255692189307","session_id":"689970","operator":"tigotz","payload":{"request_id":1,"response":"0"}}`,
    inbound: { ...said, phase: "continue", input: { kind: "latest", text: "0" } },
    reply: { action: "end", screen: "Até já" },
    response: `
HTTP/1.1 200
content-type: application/json

{"msisdn":"255692189307","operator":"tigotz","session_id":"689970","command":"terminate","payload":{"request_id":1,"request":"Até já"}}`,
  },
  {
    title: "people answer with stars and hashes",
    source: "PROTOCOLS 0, rule 4; made up",
    options: { service_code: "*150*60#" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"command":"continue","msisdn":"255692189307","session_id":"689970","operator":"tigotz","payload":{"request_id":"menu-7","response":"a*b #"}}`,
    inbound: {
      ...said,
      echo: { request_id: '"menu-7"' },
      phase: "continue",
      input: { kind: "latest", text: "a*b #" },
    },
    reply: { action: "continue", screen: "Next", memo: '"menu-7"' },
    response: `
HTTP/1.1 200
content-type: application/json

{"msisdn":"255692189307","operator":"tigotz","session_id":"689970","command":"continue","payload":{"request_id":"menu-7","request":"Next"}}`,
  },
  {
    title: "terminate is a notice",
    source: "PROTOCOLS 10: user or network ended",
    options: { service_code: "*150*60#" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"command":"terminate","msisdn":"255692189307","session_id":"689970","operator":"tigotz","payload":{"request_id":1,"response":"0"}}`,
    inbound: { ...said, phase: "abort", input: { kind: "latest", text: "" } },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"msisdn":"255692189307","operator":"tigotz","session_id":"689970","command":"terminate","payload":{"request_id":1,"request":""}}`,
  },
  {
    title: "a code on the wire goes before the channel's",
    source: "PROTOCOLS 10: optional serviceCode",
    request: `
POST / HTTP/1.1
content-type: application/json

{"command":"initiate","msisdn":"255692189307","session_id":"689970","operator":"tigotz","payload":{"request_id":1,"response":"0"},"serviceCode":"*150*60#"}`,
    inbound: { ...said, phase: "begin", input: { kind: "latest", text: "" } },
    reply: { action: "end", screen: "Bye" },
    response: `
HTTP/1.1 200
content-type: application/json

{"msisdn":"255692189307","operator":"tigotz","session_id":"689970","command":"terminate","payload":{"request_id":1,"request":"Bye"}}`,
  },
  {
    title: "a request without payload is refused",
    source: "PROTOCOLS 10: fields",
    request: `
POST / HTTP/1.1
content-type: application/json

{"command":"continue","msisdn":"255692189307","session_id":"689970","operator":"tigotz"}`,
    error: "missing_field",
  },
  {
    title: "a command that nobody knows is refused",
    source: "PROTOCOLS 10: commands",
    request: `
POST / HTTP/1.1
content-type: application/json

{"command":"start","msisdn":"255692189307","session_id":"689970","operator":"tigotz","payload":{"request_id":1,"response":"1"}}`,
    error: "bad_field",
  },
];
