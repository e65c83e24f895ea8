import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "IXO USSD gateway API reference";

const said = {
  sessionId: "session-001",
  msisdn: "260971234567",
  dialled: "*1234#",
  messageId: undefined,
  network: undefined,
  echo: {},
} as const;

export const provider: Provider = {
  title: "IXO USSD gateway",
  setUp:
    "The gateway asks `/api/ussd` as its document says; the address here works too. It " +
    "answers 100 requests a minute and address, unless the channel says otherwise.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "an empty text is the initial dial",
    source: `${DOCS}, Example - initial dial`,
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json

{
    "sessionId": "session-001",
    "serviceCode": "*1234#",
    "phoneNumber": "+260971234567",
    "text": ""
  }`,
    inbound: { ...said, phase: "begin", input: { kind: "history", text: "" } },
    reply: {
      action: "continue",
      screen: "Welcome to IXO USSD\n1. Know More\n2. Account Menu\n*. Exit",
    },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

CON Welcome to IXO USSD
1. Know More
2. Account Menu
*. Exit`,
  },
  {
    title: "a text continues, and is everything typed so far",
    source: `${DOCS}, Request: "User input accumulated during the session"`,
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json; charset=utf-8

{"sessionId":"session-001","serviceCode":"*1234#","phoneNumber":"+260971234567","text":"1*3"}`,
    inbound: { ...said, phase: "continue", input: { kind: "history", text: "1*3" } },
    turn: { input: "3", inputs: ["1", "3"] },
    reply: { action: "end", screen: "Thank you." },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

END Thank you.`,
  },
  {
    title: "people type stars and hashes; screens have accents",
    source: "PROTOCOLS 0, rule 4; screen made up",
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json

{"sessionId":"session-001","serviceCode":"*1234#","phoneNumber":"+260971234567","text":"7*a*b#"}`,
    inbound: { ...said, phase: "continue", input: { kind: "history", text: "7*a*b#" } },
    turn: { input: "a*b#", inputs: ["7", "a*b#"] },
    reply: { action: "continue", screen: "Êtes-vous sûr ?\n1. Oui" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

CON Êtes-vous sûr ?
1. Oui`,
  },
  {
    title: "a prototype is data that nobody reads",
    source: "RELIABILITY T33",
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json

{"__proto__":{"text":"1"},"sessionId":"session-001","serviceCode":"*1234#","phoneNumber":"+260971234567","text":""}`,
    inbound: { ...said, phase: "begin", input: { kind: "history", text: "" } },
    reply: { action: "end", screen: "Goodbye" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

END Goodbye`,
  },
  {
    title: "a request without text is refused on a screen",
    source: `${DOCS}, Request: text is required; Errors: failed validation`,
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json

{"sessionId":"session-001","serviceCode":"*1234#","phoneNumber":"+260971234567"}`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: text/plain; charset=utf-8

END Invalid request: text is required`,
  },
  {
    title: "a phone number without its plus is refused",
    source: `${DOCS}, Validation rules: phoneNumber must be E.164 format`,
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json

{"sessionId":"session-001","serviceCode":"*1234#","phoneNumber":"260971234567","text":""}`,
    error: "bad_msisdn",
  },
  {
    title: "a service code without its hash is refused",
    source: `${DOCS}, Validation rules: serviceCode must match USSD format`,
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json

{"sessionId":"session-001","serviceCode":"*1234","phoneNumber":"+260971234567","text":""}`,
    error: "bad_dialled",
  },
  {
    title: "a service code of more than 20 characters is refused",
    source: "emerging-eco/ixo-ussd-supamoto, src/schemas/ussd.schemas.ts",
    request: `
POST /api/ussd HTTP/1.1
content-type: application/json

{"sessionId":"session-001","serviceCode":"*1234*56789*01234567#","phoneNumber":"+260971234567","text":""}`,
    error: "bad_dialled",
  },
];
