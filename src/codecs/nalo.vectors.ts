import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "Nalo Solutions, Postman collection UyrEhaLQ";

const said = {
  sessionId: "16590115252429751",
  msisdn: "233241234567",
  dialled: undefined,
  messageId: undefined,
  network: "MTN",
  echo: { USERID: "NALOTest" },
} as const;

const OLDER = "the older form has no session id: ours always has one";
export const provider: Provider = {
  title: "Nalo Solutions (Ghana)",
  setUp: "Give Nalo the address as the endpoint of the code; screens have 120 characters.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "nalo",
    free: ["USERID"],
    differs: { "continue reply, as network": OLDER, "end reply, as network": OLDER },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "MSGTYPE is true at the dial",
    source: `${DOCS}; number and screen made up`,
    request: `
POST / HTTP/1.1
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","USERDATA":"*920*52#","MSGTYPE":true,"NETWORK":"MTN","SESSIONID":"16590115252429751"}`,
    inbound: { ...said, phase: "begin", dialled: "*920*52#", input: { kind: "latest", text: "" } },
    reply: { action: "continue", screen: "Welcome\n1. Pay" },
    response: `
HTTP/1.1 200
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","MSG":"Welcome\\n1. Pay","MSGTYPE":true}`,
  },
  {
    title: "and false later, while in answers it says whether more is expected",
    source: `${DOCS}; made up`,
    request: `
POST / HTTP/1.1
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","USERDATA":"1","MSGTYPE":false,"NETWORK":"MTN","SESSIONID":"16590115252429751"}`,
    inbound: { ...said, phase: "continue", input: { kind: "latest", text: "1" } },
    reply: { action: "end", screen: "Merci, payé." },
    response: `
HTTP/1.1 200
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","MSG":"Merci, payé.","MSGTYPE":false}`,
  },
  {
    title: "people answer with stars and hashes",
    source: "PROTOCOLS 0, rule 4; made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","USERDATA":"*1*2#","MSGTYPE":false,"NETWORK":"MTN","SESSIONID":"16590115252429751"}`,
    inbound: { ...said, phase: "continue", input: { kind: "latest", text: "*1*2#" } },
    reply: { action: "continue", screen: "Next" },
    response: `
HTTP/1.1 200
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","MSG":"Next","MSGTYPE":true}`,
  },
  {
    title: "a demonstration dials no code: the channel has one",
    source: "PROTOCOLS 7: or empty in demos",
    options: { service_code: "*920*52#" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","USERDATA":"","MSGTYPE":true,"NETWORK":"MTN","SESSIONID":"16590115252429751"}`,
    inbound: { ...said, phase: "begin", dialled: "*920*52#", input: { kind: "latest", text: "" } },
    reply: { action: "end", screen: "Bye" },
    response: `
HTTP/1.1 200
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","MSG":"Bye","MSGTYPE":false}`,
  },
  {
    title: "MSGTYPE as text is refused",
    source: "PROTOCOLS 7: boolean",
    request: `
POST / HTTP/1.1
content-type: application/json

{"USERID":"NALOTest","MSISDN":"233241234567","USERDATA":"*920*52#","MSGTYPE":"true","NETWORK":"MTN","SESSIONID":"16590115252429751"}`,
    error: "bad_field",
  },
  {
    title: "a request without a number is refused",
    source: "PROTOCOLS 7: fields",
    request: `
POST / HTTP/1.1
content-type: application/json

{"USERID":"NALOTest","USERDATA":"","MSGTYPE":true,"NETWORK":"MTN","SESSIONID":"16590115252429751"}`,
    error: "missing_field",
  },
];
