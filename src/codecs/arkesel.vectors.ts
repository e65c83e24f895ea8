import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "developers.arkesel.com, API specification 2.4.0";

const said = {
  sessionId: "2005506191900168",
  msisdn: "233271231234",
  dialled: undefined,
  messageId: undefined,
  network: "AIRTELTIGO",
  echo: { userID: "USSD_DOCUMENTATION" },
} as const;

export const provider: Provider = {
  title: "Arkesel (Ghana)",
  setUp: "In the dashboard, paste the address as the callback URL of the USSD code.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "arkesel",
    free: ["userID"],
    differs: { "ids echoed exactly, as network": "half a reply is none" },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "a dial carries the code as it was typed",
    source: `${DOCS}, sample request`,
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","newSession":true,"msisdn":"233271231234","userData":"*928*1#","network":"AIRTELTIGO"}`,
    inbound: { ...said, phase: "begin", dialled: "*928*1#", input: { kind: "latest", text: "" } },
    reply: { action: "continue", screen: "Pick one\n1. Pay" },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","msisdn":"233271231234","message":"Pick one\\n1. Pay","continueSession":true}`,
  },
  {
    title: "later requests carry the latest answer",
    source: `${DOCS}; screen made up`,
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","newSession":false,"msisdn":"233271231234","userData":"2","network":"AIRTELTIGO"}`,
    inbound: { ...said, phase: "continue", input: { kind: "latest", text: "2" } },
    reply: { action: "end", screen: "Merci, payé." },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","msisdn":"233271231234","message":"Merci, payé.","continueSession":false}`,
  },
  {
    title: "people answer with stars and hashes",
    source: "PROTOCOLS 6; made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","newSession":false,"msisdn":"233271231234","userData":"*1*2#","network":"AIRTELTIGO"}`,
    inbound: { ...said, phase: "continue", input: { kind: "latest", text: "*1*2#" } },
    reply: { action: "continue", screen: "Next" },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","msisdn":"233271231234","message":"Next","continueSession":true}`,
  },
  {
    title: "newSession as text is refused",
    source: "PROTOCOLS 6: strict types",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","newSession":"true","msisdn":"233271231234","userData":"*928*1#","network":"AIRTELTIGO"}`,
    error: "bad_field",
  },
  {
    title: "a session id as a number is refused",
    source: "PROTOCOLS 6: strict types",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":2005506191900168,"userID":"USSD_DOCUMENTATION","newSession":true,"msisdn":"233271231234","userData":"*928*1#","network":"AIRTELTIGO"}`,
    error: "bad_field",
  },
  {
    title: "a request without userData is refused",
    source: "PROTOCOLS 6: strict types",
    request: `
POST / HTTP/1.1
content-type: application/json

{"sessionID":"2005506191900168","userID":"USSD_DOCUMENTATION","newSession":true,"msisdn":"233271231234","network":"AIRTELTIGO"}`,
    error: "missing_field",
  },
];
