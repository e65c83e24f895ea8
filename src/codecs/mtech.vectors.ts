import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const VUMI = "praekelt/vumi, its tests; screens made up";
const POST = `
POST / HTTP/1.1
content-type: text/xml
`;
const OK = `
HTTP/1.1 200
content-type: text/xml; charset=utf-8

<?xml version='1.0' encoding='UTF-8'?><page version="2.0"><session_id>a417</session_id>`;
const said = {
  ...{ sessionId: "a417", messageId: undefined, network: undefined, echo: {} },
} as const;
const NUMBER_TOO = "ours says the number at each turn";

export const provider: Provider = {
  title: "MTECH (Nigeria)",
  setUp:
    "Give MTECH the address. What their `gate` holds differs by account: where it is no code, " +
    "the channel needs `service_code`.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "mtech",
    options: { service_code: "*7006#" },
    // A name, which no subscriber can dial: the channel says the code.
    standIns: { gateid: "7006" },
    differs: {
      "input and continue, as network": NUMBER_TOO,
      "input and end, as network": NUMBER_TOO,
      "unknown session": "whether a session is known is the gateway's to say",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "page 0 begins; its data is not an answer",
    source: VUMI,
    request: `${POST}
<?xml version="1.0" encoding="UTF-8"?>
<page version="2.0">
  <session_id>a417</session_id>
  <mobile_number>2348085832481</mobile_number>
  <page_id>0</page_id>
  <data>testmenu</data>
  <gate>*7006#</gate>
</page>`,
    inbound: {
      ...said,
      msisdn: "2348085832481",
      phase: "begin",
      dialled: "*7006#",
      input: { kind: "latest", text: "" },
    },
    reply: { action: "continue", screen: "Bem-vindo, José\n1 < 2" },
    response: `${OK}<div>Bem-vindo, José<br />1 &lt; 2</div><navigation><link accesskey="*" pageId="indexX" /></navigation></page>`,
  },
  {
    title: "an answer, stars and hashes in it, and the last screen",
    source: VUMI,
    request: `${POST}
<page version="2.0"><session_id>a417</session_id><mobile_number>2348085832481</mobile_number><page_id>indexX</page_id><data>a*b#</data></page>`,
    inbound: {
      ...said,
      msisdn: "2348085832481",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "a*b#" },
    },
    reply: { action: "end", screen: "Bye" },
    response: `${OK}<div>Bye</div></page>`,
  },
  {
    title: "a status says that it is over, and names nobody",
    source: VUMI,
    request: `${POST}
<page version="2.0"><session_id>a417</session_id><status>1</status></page>`,
    inbound: {
      ...said,
      msisdn: undefined,
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
    },
    reply: undefined,
    response: `${OK}</page>`,
  },
  {
    title: "a begin without a number",
    source: VUMI,
    request: `${POST}
<page version="2.0"><session_id>a417</session_id><page_id>0</page_id><data>x</data><gate>*7006#</gate></page>`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: text/xml; charset=utf-8

`,
  },
];
