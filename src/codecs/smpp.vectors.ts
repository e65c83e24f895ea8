import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const MICA = "praekelt/vumi@b74b5dac, vumi/transports/smpp/processors/tests/test_mica.py";
const SIXDEE = "praekelt/vumi@b74b5dac, vumi/transports/smpp/processors/tests/test_sixdee.py";
const TABLE = "PROTOCOLS 16, table of profiles";

const subscriber = "258841234567";
const said = { msisdn: subscriber, messageId: undefined, network: undefined } as const;
const addresses = { source_addr: subscriber, destination_addr: "*123#" } as const;

export const provider: Provider = {
  title: "SMPP 3.4, to an operator's SMSC",
  setUp:
    "No address: the gateway binds to the SMSC. Ask for host, port, system_id, password, " +
    "whether TLS is spoken, and the `ussd_service_op` numbers; see " +
    "[SMPP](../configuration.md#smpp).",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "a dial has its code in short_message; the first octet names the dialogue",
    source: TABLE,
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
destination_addr: *123#
ussd_service_op: 1
its_session_info: 7e02

*123#`,
    inbound: {
      ...said,
      sessionId: "7e00",
      phase: "begin",
      dialled: "*123#",
      input: { kind: "latest", text: "" },
      echo: { ...addresses, its_session_info: "7e02" },
    },
    turn: { sessionId: "sess_7e02" },
    reply: { action: "continue", screen: "Olá! ê\n1. Saldo" },
    response: `
HTTP/1.1 200
service_type: USSD
source_addr: *123#
destination_addr: ${subscriber}
ussd_service_op: 2
its_session_info: 7e02

Olá! ê\n1. Saldo`,
  },
  {
    title: "an answer is operation 18, the last screen 17",
    source: TABLE,
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
destination_addr: *123#
ussd_service_op: 18
its_session_info: 7e04

1*2`,
    inbound: {
      ...said,
      sessionId: "7e00",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1*2" },
      echo: { ...addresses, its_session_info: "7e04" },
    },
    turn: { sessionId: "sess_7e04", serviceCode: "*123#" },
    reply: { action: "end", screen: "Bye" },
    response: `
HTTP/1.1 200
service_type: USSD
source_addr: *123#
destination_addr: ${subscriber}
ussd_service_op: 17
its_session_info: 7e04

Bye`,
  },
  {
    title: "Mica ends with 23 and names dialogues by user_message_reference",
    source: MICA,
    options: { profile: "mica" },
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
destination_addr: *123#
ussd_service_op: 18
user_message_reference: 12344

reply!`,
    inbound: {
      ...said,
      sessionId: "12344",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "reply!" },
      echo: { ...addresses, user_message_reference: "12344" },
    },
    turn: { sessionId: "sess_3038", serviceCode: "*123#" },
    reply: { action: "end", screen: "hello world" },
    response: `
HTTP/1.1 200
service_type: USSD
source_addr: *123#
destination_addr: ${subscriber}
ussd_service_op: 23
user_message_reference: 12344

hello world`,
  },
  {
    title: "6D ends with 23 and bit 0 of its_session_info",
    source: SIXDEE,
    options: { profile: "sixdee" },
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
destination_addr: *123#
ussd_service_op: 18
its_session_info: 162e

2`,
    inbound: {
      ...said,
      sessionId: "162e",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "2" },
      echo: { ...addresses, its_session_info: "162e" },
    },
    turn: { sessionId: "sess_162e", serviceCode: "*123#" },
    reply: { action: "end", screen: "hello world" },
    response: `
HTTP/1.1 200
service_type: USSD
source_addr: *123#
destination_addr: ${subscriber}
ussd_service_op: 23
its_session_info: 162f

hello world`,
  },
  {
    title: "a dialogue that the subscriber gave up is acknowledged and not answered",
    source: MICA,
    options: { profile: "mica" },
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
destination_addr: *123#
ussd_service_op: 129
user_message_reference: 12344

`,
    inbound: {
      ...said,
      sessionId: "12344",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      echo: { ...addresses, user_message_reference: "12344" },
    },
    reply: undefined,
    response: `
HTTP/1.1 204

`,
  },
  {
    title: "bit 0 of its_session_info ends the dialogue, whatever the operation",
    source: "SMPP 3.4 §5.3.2.43",
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
destination_addr: *123#
ussd_service_op: 18
its_session_info: 7e05

`,
    inbound: {
      ...said,
      sessionId: "7e00",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      echo: { ...addresses, its_session_info: "7e05" },
    },
    reply: undefined,
    response: `
HTTP/1.1 204

`,
  },
  {
    title: "a code may be in destination_addr",
    source: SIXDEE,
    options: { profile: "sixdee", codeField: "destination_addr" },
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
destination_addr: *123#
ussd_service_op: 1
its_session_info: 162e

*IGNORE#`,
    inbound: {
      ...said,
      sessionId: "162e",
      phase: "begin",
      dialled: "*123#",
      input: { kind: "latest", text: "" },
      echo: { ...addresses, its_session_info: "162e" },
    },
    reply: undefined,
    response: `
HTTP/1.1 204

`,
  },
  {
    title: "without its dialogue's name a message belongs to nobody",
    source: MICA,
    options: { profile: "mica" },
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
ussd_service_op: 18

1`,
    error: "missing_field",
  },
  {
    title: "a dial without a code",
    source: TABLE,
    request: `
deliver_sm / HTTP/1.1
source_addr: ${subscriber}
ussd_service_op: 1

balance`,
    error: "bad_dialled",
  },
];

export const golden: readonly GoldenSheet[] = ["mica", "sixdee"].map((profile) => ({
  file: `smpp-${profile}`,
  options: ({ config }): Readonly<Record<string, string>> => ({
    profile,
    codeField:
      config?.["ussdCodePduField"] === "destination_addr" ? "destination_addr" : "short_message",
  }),
}));
