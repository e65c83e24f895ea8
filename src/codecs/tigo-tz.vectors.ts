import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const TRAFFIC = "muhandofranc/UssdGatewayTz docs/mno-tigo.md, smoke examples";

const a = {
  ...{ sessionId: "SMOKE-A", msisdn: "255710223275" },
  ...{ messageId: undefined, network: undefined, echo: {} },
};
const b = { ...a, sessionId: "SMOKE-B", msisdn: "255656560679" };

export const provider: Provider = {
  title: "Tigo Tanzania, schemes A and B",
  setUp: "Give the operator's VAS team the address.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "tigo-tz",
    free: ["IMSI"],
    options: ({ name }): Readonly<Record<string, string>> =>
      name.startsWith("scheme B") ? { scheme: "B" } : { partner: "191" },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "scheme A flags a new request and says what was dialled",
    source: `${TRAFFIC}; screen made up`,
    request: `
GET /?MSISDN=255710223275&Session_id=SMOKE-A&NEW_REQUEST=1&Ussd_string=*148*43 HTTP/1.1
`,
    inbound: { ...a, phase: "begin", dialled: "*148*43#", input: { kind: "latest", text: "" } },
    reply: { action: "continue", screen: "Karibu\n1. Lipa" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Karibu
1. Lipa`,
  },
  {
    title: "scheme A later names the partner, not the code",
    source: `${TRAFFIC}; answer and screen made up`,
    options: { partner: "191" },
    request: `
GET /?MSISDN=255710223275&Session_id=SMOKE-A&NEW_REQUEST=0&Ussd_string=7*a%23&Service_cod=191 HTTP/1.1
`,
    inbound: {
      ...a,
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "7*a#" },
    },
    reply: { action: "end", screen: "Ahsante – kwaheri" },
    response: `
HTTP/1.1 200
content-type: text/plain

END Ahsante – kwaheri`,
  },
  {
    title: "scheme B echoes what was dialled as the first input",
    source: `${TRAFFIC}; digits after the code and screen made up`,
    options: { scheme: "B" },
    request: `
GET /?input=148*33*2&sessionid=SMOKE-B&msisdn=255656560679&IMSI=640021174819835&newrequest=1&SHORT_CODE=*148*33 HTTP/1.1
`,
    inbound: { ...b, phase: "begin", dialled: "*148*33*2#", input: { kind: "latest", text: "" } },
    turn: { serviceCode: "*148*33#", inputs: ["2"], dialledDigits: ["2"] },
    reply: { action: "continue", screen: "Kiasi?" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Kiasi?`,
  },
  {
    title: "scheme B names the code at every turn",
    source: `${TRAFFIC}; screen made up`,
    options: { scheme: "B" },
    request: `
GET /?input=2&sessionid=SMOKE-B&msisdn=255656560679&IMSI=640021174819835&newrequest=0&SHORT_CODE=*148*33 HTTP/1.1
`,
    inbound: { ...b, phase: "continue", dialled: "*148*33#", input: { kind: "latest", text: "2" } },
    reply: { action: "end", screen: "Ahsante" },
    response: `
HTTP/1.1 200
content-type: text/plain

END Ahsante`,
  },
  {
    title: "a flag of neither kind is refused on a screen",
    source: "PROTOCOLS 2a: NEW_REQUEST 1/0; made up",
    request: `
GET /?MSISDN=255710223275&Session_id=SMOKE-A&NEW_REQUEST=yes&Ussd_string=7 HTTP/1.1
`,
    error: "bad_field",
    response: `
HTTP/1.1 400
content-type: text/plain

END Invalid request: NEW_REQUEST must be 1 or 0`,
  },
  {
    title: "a request without msisdn is refused",
    source: TRAFFIC,
    request: `
GET /?input=2&sessionid=SMOKE-B&newrequest=0&SHORT_CODE=*148*33 HTTP/1.1
`,
    error: "missing_field",
  },
];
