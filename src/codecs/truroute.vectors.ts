import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "TruRoute USSD XML Interface v1.3";
const BASE = {
  messageId: undefined,
  network: undefined,
  echo: {},
} as const;
const POST = `
POST /ussd/vodacom/callback HTTP/1.1
content-type: text/xml
`;
const OK = `
HTTP/1.1 200
content-type: text/xml; charset=utf-8
`;
const RELEASED = `
HTTP/1.1 400
content-type: text/xml; charset=utf-8

<ussd><type>3</type><msg></msg></ussd>`;

export const provider: Provider = {
  title: "TruTeq TruRoute: Vodacom and others",
  setUp:
    "Give the operator the address as the application's URL. They ask by POST or by GET, " +
    "and both are taken. For Vodacom Mozambique name the channel `vodacom`: backends are " +
    "told that as `provider`.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "truroute",
    differs: {
      "continue reply with premium, as application": "Dialyard charges nothing: no premium is sent",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "type 1 is a dial, the code is in msg",
    source: `${DOCS}, request`,
    request: `${POST}
<ussd><msisdn>258841234567</msisdn><sessionid>12345</sessionid><type>1</type><msg>*123#</msg></ussd>`,
    inbound: {
      ...BASE,
      sessionId: "12345",
      msisdn: "258841234567",
      phase: "begin",
      dialled: "*123#",
      input: { kind: "latest", text: "" },
    },
    reply: { action: "continue", screen: "Olá & bem-vindo\n1. Saldo <MT>" },
    response: `${OK}
<ussd><type>2</type><msg>Olá &amp; bem-vindo
1. Saldo &lt;MT&gt;</msg></ussd>`,
  },
  {
    title: "type 2 is an answer; people type stars, hashes and ampersands",
    source: `${DOCS}, response; indented as TruTeq's own client does`,
    request: `${POST}
<?xml version="1.0" encoding="UTF-8"?>
<ussd>
  <msisdn>258841234567</msisdn>
  <sessionid> 4321423523 </sessionid>
  <type>2</type>
  <msg>*1# &amp; <![CDATA[<2>]]></msg>
</ussd>`,
    inbound: {
      ...BASE,
      sessionId: "4321423523",
      msisdn: "258841234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "*1# & <2>" },
    },
    reply: { action: "end", screen: "Obrigado" },
    response: `${OK}
<ussd><type>3</type><msg>Obrigado</msg></ussd>`,
  },
  {
    title: "the same names in the query of a GET",
    source: "bluteki/ussd-core, README (TruRoute GET)",
    request: `
GET /ussd/vodacom/callback?msisdn=258841234567&sessionid=12345&type=1&msg=*123*4%23 HTTP/1.1
`,
    inbound: {
      ...BASE,
      sessionId: "12345",
      msisdn: "258841234567",
      phase: "begin",
      dialled: "*123*4#",
      input: { kind: "latest", text: "" },
    },
    reply: { action: "continue", screen: "1. Saldo" },
    response: `${OK}
<ussd><type>2</type><msg>1. Saldo</msg></ussd>`,
  },
  ...[
    ["3", "cancelled"],
    ["4", "timed out"],
    ["10", "a charge that failed"],
  ].map(([type = "", what = ""]): CodecVector => ({
    title: `type ${type}, ${what}: acknowledged with a release that nobody reads`,
    source: `${DOCS}, request types`,
    request: `${POST}
<ussd><msisdn>258841234567</msisdn><sessionid>1</sessionid><type>${type}</type><msg>why</msg></ussd>`,
    inbound: {
      ...BASE,
      sessionId: "1",
      msisdn: "258841234567",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
    },
    reply: undefined,
    response: `${OK}
<ussd><type>3</type><msg></msg></ussd>`,
  })),
  {
    title: "a request without a session is refused in the protocol's own form",
    source: DOCS,
    request: `${POST}
<ussd><msisdn>258841234567</msisdn><type>1</type><msg>*123#</msg></ussd>`,
    error: "missing_field",
    response: RELEASED,
  },
  {
    title: "a DTD is refused",
    source: "PROTOCOLS 21.10",
    request: `${POST}
<!DOCTYPE ussd [<!ENTITY a "*123#">]><ussd><msisdn>258841234567</msisdn><sessionid>1</sessionid><type>1</type><msg>&a;</msg></ussd>`,
    error: "bad_body",
    response: RELEASED,
  },
  {
    title: "a redirect is not for us",
    source: "AndreGKruger/ussdgw-go: type 5",
    request: `${POST}
<ussd><msisdn>258841234567</msisdn><sessionid>1</sessionid><type>5</type><msg>1</msg></ussd>`,
    error: "bad_field",
    response: RELEASED,
  },
];
