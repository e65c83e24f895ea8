import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet, GoldenVector } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const HALOTEL = "Halotel's integration document at second hand, PROTOCOLS 3.3; values made up";
const MOVITEL = "buiatuan/JAVA_LEARNING and bluteki/ussd-core, PROTOCOLS 3.3; values made up";
const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
const SCHEMAS = `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"`;
const POST = `
POST / HTTP/1.1
content-type: text/xml
`;
/** The call that brings the screen. */
const CALL = `
HTTP/1.1 200
content-type: text/xml; charset=utf-8
`;
const insert = (fields: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${SOAP}" ${SCHEMAS}>` +
  `<soap:Body><InsertMO xmlns="http://tempuri.org/">${fields}</InsertMO></soap:Body>` +
  "</soap:Envelope>";
const started = (fields: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><soapenv:Envelope xmlns:soapenv="${SOAP}" ${SCHEMAS} ` +
  `xmlns:urn="http://viettel.com/xsd"><soapenv:Header/><soapenv:Body><urn:start>${fields}` +
  "</urn:start></soapenv:Body></soapenv:Envelope>";
const W = "W1-2-1395280360802";
const about = `<sessionid>null</sessionid><transactionid>${W}</transactionid>`;
const said = {
  ...{ sessionId: W, messageId: undefined, network: undefined },
  echo: { user: "U", pass: "P", sessionid: "", ussdgw_id: "1" },
} as const;

export const provider: Provider = {
  title: "Viettel's gateways: Movitel (Mozambique), Halotel (Tanzania), Lumitel (Burundi)",
  setUp:
    "Give the operator the address and the address that your calls come from: both sides " +
    "have allow lists. Ask for theirs, where screens are taken: it is the channel's " +
    "`pushUrl`. Ask whose `user` and `pass` its calls carry: without these options those of " +
    "the request go back. Ask Movitel how it shows a line break (`newline`), and name the " +
    "channel `movitel`: backends are told that as `provider`.",
  options: { preset: "movitel" },
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "viettel-ussdgw",
    options: ({ name }: GoldenVector) => ({
      preset: name.startsWith("lumitel") ? "lumitel" : "halotel",
    }),
    wrap: insert("{}"),
    asked: {
      "lumitel ack": `POST / HTTP/1.1
content-type: application/xml

<e:Envelope xmlns:e="${SOAP}"><e:Body><InsertMO><msisdn>25761069606</msisdn><msg>*220#</msg><transactionid>W1</transactionid><requestType>100</requestType></InsertMO></e:Body></e:Envelope>`,
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "type 100 dials, digits after the code included; the screen goes out as type 202",
    source: HALOTEL,
    request: `${POST}
${insert(`<user>U</user><pass>P</pass><msisdn>255629099842</msisdn><msg>*123*1#</msg>${about}<requestType>100</requestType><ussdgw_id>1</ussdgw_id>`)}`,
    inbound: {
      ...said,
      msisdn: "255629099842",
      phase: "begin",
      dialled: "*123*1#",
      input: { kind: "latest", text: "" },
    },
    turn: { serviceCode: "*123#", dialledDigits: ["1"] },
    reply: { action: "continue", screen: "Olá ê & <b>\n1. Saldo" },
    response: `${CALL}
${insert(`<user>U</user><pass>P</pass><msisdn>null</msisdn><msg>Olá ê &amp; &lt;b&gt;<br>1. Saldo</msg>${about}<requestType>202</requestType><ussdgw_id>1</ussdgw_id>`)}`,
  },
  {
    title: "Movitel: another operation, prefixed and typed, and the answer is the latest",
    source: MOVITEL,
    options: { preset: "movitel" },
    request: `${POST}
<soapenv:Envelope xmlns:soapenv="${SOAP}" xmlns:xsd="http://viettel.com/xsd"><soapenv:Header/><soapenv:Body><xsd:start><xsd:user xsi:type="xsd:string">U</xsd:user><xsd:pass>P</xsd:pass><xsd:imsi>643</xsd:imsi><xsd:msisdn>258861234567</xsd:msisdn><xsd:msg>1*2#</xsd:msg><xsd:session_id>null</xsd:session_id><xsd:transactionid>${W}</xsd:transactionid><xsd:requestType>101</xsd:requestType><xsd:ussdgw_id>1</xsd:ussdgw_id></xsd:start></soapenv:Body></soapenv:Envelope>`,
    inbound: {
      ...said,
      msisdn: "258861234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1*2#" },
    },
    reply: { action: "end", screen: "Até já" },
    response: `${CALL}
${started(`<user>U</user><pass>P</pass><msisdn>null</msisdn><msg>Até já</msg>${about}<requestType>203</requestType><ussdgw_id>1</ussdgw_id>`)}`,
  },
  ...[
    ["102", "abort", "cancelled"],
    ["104", "abort", "failed"],
    ["103", "notice", "shown"],
  ].map(([type = "", phase = "", what = ""]): CodecVector => ({
    title: `type ${type}, ${what}, names no subscriber and needs no screen`,
    source: HALOTEL,
    request: `${POST}
${insert(`<user>U</user><pass>P</pass><msisdn>null</msisdn><msg>why</msg>${about}<requestType>${type}</requestType><ussdgw_id>1</ussdgw_id>`)}`,
    inbound: {
      ...said,
      msisdn: undefined,
      phase: phase as "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
    },
    reply: undefined,
    response: `
HTTP/1.1 204

`,
  })),
  {
    title: "a request without a transaction is a system error, in the protocol's own form",
    source: HALOTEL,
    request: `${POST}
${insert("<msisdn>255629099842</msisdn><msg>*123#</msg><requestType>100</requestType>")}`,
    error: "missing_field",
    response: `${CALL}
<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${SOAP}"><soap:Body><ussdresponse><errorCode>-1</errorCode></ussdresponse></soap:Body></soap:Envelope>`,
  },
];
