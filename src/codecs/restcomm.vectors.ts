import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const GUIDE = "RestComm's administration guide, chapter HTTP architecture; values made up";
const POST = `
POST / HTTP/1.1
content-type: text/xml
`;
const ANSWERED = `
POST / HTTP/1.1
content-type: text/xml
cookie: JSESSIONID=79273605819-7-12
`;
const OK = `
HTTP/1.1 200
content-type: text/xml
`;
const DECLARED = '<?xml version="1.0" encoding="UTF-8" ?>';
const dialog = (type: string, more: string): string =>
  `<dialog type="${type}" appCntx="networkUnstructuredSsContext_version2" networkId="0" ` +
  `localId="12" remoteId="13" returnMessageOnError="false" ${more}</dialog>`;
const said = {
  ...{ sessionId: "12", msisdn: "79273605819", messageId: undefined, network: undefined },
  ...{ dialled: undefined, echo: { invokeId: "7" } },
} as const;
const OPENED = "79273605819-push-0123456789abcdef0123456789abcdef";

export const provider: Provider = {
  title: "RestComm, Mobicents and Telscale gateways",
  setUp:
    "Make a routing rule of the gateway with type HTTP and the address as its URL. The gateway " +
    "keeps cookies, and needs nothing else. To open dialogues, `pushUrl` is the gateway's own " +
    "address: `http://host:8080/restcomm`, with Telscale `/mobicents`.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "restcomm",
    wrap: '<dialog type="Begin" localId="1" remoteId="1" mapMessagesSize="1">{}</dialog>',
    differs: {
      "input fragment (child of dialog), as network": "ours says the number at each turn",
    },
    asked: {
      "end reply":
        "POST / HTTP/1.1\ncontent-type: text/xml\ncookie: JSESSIONID=79273605819-1-1\n\n" +
        '<dialog type="Continue" localId="1" mapMessagesSize="1">' +
        '<unstructuredSSRequest_Response invokeId="0" string="1"/></dialog>',
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "a dial, digits after the code included; a cookie has what is said only once",
    source: GUIDE,
    request: `${POST}
${dialog("Begin", 'mapMessagesSize="1"><processUnstructuredSSRequest_Request invokeId="7" dataCodingScheme="15" string="*234*1#"><msisdn nai="international_number" npi="ISDN" number="79273605819"/></processUnstructuredSSRequest_Request>')}`,
    inbound: { ...said, phase: "begin", dialled: "*234*1#", input: { kind: "latest", text: "" } },
    turn: { serviceCode: "*234#", dialledDigits: ["1"] },
    reply: {
      action: "continue",
      screen: 'Pay "now"?\n1 < 2',
      memo: "JSESSIONID=79273605819-7-12\n",
    },
    response: `
HTTP/1.1 200
content-type: text/xml
set-cookie: JSESSIONID=79273605819-7-12; Path=/; HttpOnly

${DECLARED}<dialog mapMessagesSize="1"><unstructuredSSRequest_Request dataCodingScheme="15" string="Pay &quot;now&quot;?&#10;1 &lt; 2"/></dialog>`,
  },
  {
    title: "an answer with the cookie; the last screen repeats the dial's invokeId, in UCS-2",
    source: GUIDE,
    request: `${ANSWERED}
${dialog("Continue", 'mapMessagesSize="1"><unstructuredSSRequest_Response invokeId="1" dataCodingScheme="15" string=" 1*2# "/>')}`,
    inbound: { ...said, phase: "continue", input: { kind: "latest", text: " 1*2# " } },
    turn: { memo: "JSESSIONID=79273605819-7-12\n" },
    reply: { action: "end", screen: "Готово" },
    response: `${OK}
${DECLARED}<dialog mapMessagesSize="1" prearrangedEnd="false"><processUnstructuredSSRequest_Response invokeId="7" dataCodingScheme="72" string="Готово"/></dialog>`,
  },
  {
    title: "the number stands in originationReference where the message has none",
    source: GUIDE,
    request: `${POST}
${dialog("Begin", 'mapMessagesSize="1"><originationReference nai="international_number" npi="ISDN" number="79273605819"/><processUnstructuredSSRequest_Request invokeId="7" dataCodingScheme="15" string="*234#"/>')}`,
    inbound: { ...said, phase: "begin", dialled: "*234#", input: { kind: "latest", text: "" } },
    reply: { action: "end", screen: "Bye" },
    response: `${OK}
${DECLARED}<dialog mapMessagesSize="1" prearrangedEnd="false"><processUnstructuredSSRequest_Response invokeId="7" dataCodingScheme="15" string="Bye"/></dialog>`,
  },
  {
    title: "a dialogue of ours: userObject says whose it is, and a notice is the last screen",
    source: GUIDE,
    request: `${POST}
${dialog("Continue", `mapMessagesSize="1" userObject="${OPENED}"><unstructuredSSRequest_Response invokeId="0" dataCodingScheme="15" string="1"/>`)}`,
    inbound: {
      ...said,
      sessionId: "0123456789abcdef0123456789abcdef",
      phase: "continue",
      input: { kind: "latest", text: "1" },
      echo: { userObject: OPENED },
    },
    reply: undefined,
    response: `${OK}
${DECLARED}<dialog mapMessagesSize="0" prearrangedEnd="false"/>`,
  },
  {
    title: "a notice was shown",
    source: GUIDE,
    request: `${POST}
${dialog("Continue", 'mapMessagesSize="1"><unstructuredSSNotify_Response invokeId="0"/>')}`,
    inbound: {
      ...{ ...said, msisdn: undefined, phase: "notice", input: { kind: "latest", text: "" } },
      echo: { invokeId: "0" },
    },
    reply: undefined,
    response: `${OK}
${DECLARED}<dialog mapMessagesSize="0" prearrangedEnd="false"/>`,
  },
  {
    title: "an attribute that says it is not timed out ends nothing",
    source: "PROTOCOLS 15: dialogTimedOut is true where it is over",
    request: `${ANSWERED}
${dialog("Continue", 'mapMessagesSize="1" dialogTimedOut="false"><unstructuredSSRequest_Response invokeId="0" dataCodingScheme="15" string="1"/>')}`,
    inbound: { ...said, phase: "continue", input: { kind: "latest", text: "1" } },
    reply: { action: "continue", screen: "Next" },
    response: `${OK}
${DECLARED}<dialog mapMessagesSize="1"><unstructuredSSRequest_Request dataCodingScheme="15" string="Next"/></dialog>`,
  },
  {
    title: "timed out, and whose by the cookie",
    source: GUIDE,
    request: `${ANSWERED}
<dialog type="Unknown" localId="12" remoteId="13" mapMessagesSize="0" dialogTimedOut="true" returnMessageOnError="false"><errComponents/></dialog>`,
    inbound: { ...said, phase: "abort", input: { kind: "latest", text: "" } },
    reply: undefined,
    response: `${OK}
${DECLARED}<dialog mapMessagesSize="0" prearrangedEnd="false"/>`,
  },
  {
    title: "a dialogue with nothing in it",
    source: GUIDE,
    request: `${POST}
${dialog("Continue", 'mapMessagesSize="1">')}`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: text/xml

`,
  },
  {
    title: "a dial without a number",
    source: GUIDE,
    request: `${POST}
${dialog("Begin", 'mapMessagesSize="1"><processUnstructuredSSRequest_Request invokeId="0" string="*234#"/>')}`,
    error: "missing_field",
  },
];
