import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "mNotify (BMS Africa), shared codes",
  setUp: "In the dashboard, paste the address as the callback of the extension.",
};

export const golden: readonly GoldenSheet[] = [{ file: "mnotify", free: ["timestamp"] }];

export const vectors: readonly CodecVector[] = [
  {
    title: "the first data is the code as dialled",
    source: "developer.bms.africa/openapi14.yaml at second hand (PROTOCOLS 18)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"msisdn":"233541509394","sequenceID":"6789940010","data":"*899*86#","timestamp":"2025-09-01T11:22:33Z"}`,
    inbound: {
      sessionId: "6789940010",
      msisdn: "233541509394",
      phase: "begin",
      dialled: "*899*86#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "continue", screen: "Pick one\n1. Pay" },
    response: `
HTTP/1.1 200
content-type: application/json

{"msisdn":"233541509394","sequenceID":"6789940010","message":"Pick one\\r\\n1. Pay","timestamp":"1970-01-01T00:00:00Z","continueFlag":0}`,
  },
  {
    title: "later the latest answer, whole",
    source: "developer.bms.africa/openapi14.yaml at second hand (PROTOCOLS 18); screen made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"msisdn":"233541509394","sequenceID":"6789940010","data":"1*2","timestamp":"2025-09-01T11:22:33Z"}`,
    inbound: {
      sessionId: "6789940010",
      msisdn: "233541509394",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1*2" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "end", screen: "Merci, payé." },
    response: `
HTTP/1.1 200
content-type: application/json

{"msisdn":"233541509394","sequenceID":"6789940010","message":"Merci, payé.","timestamp":"1970-01-01T00:00:00Z","continueFlag":1}`,
  },
  {
    title: "a request without sequenceID is refused",
    source: "developer.bms.africa/openapi14.yaml at second hand (PROTOCOLS 18)",
    request: `
POST / HTTP/1.1
content-type: application/json

{"msisdn":"233541509394","data":"1","timestamp":"2025-09-01T11:22:33Z"}`,
    error: "missing_field",
  },
];
