/**
 * SMPP 3.4 on the wire: PDUs as octets, as far as a USSD link speaks it. A PDU is a header of four
 * 32-bit numbers (length, command id, command status, sequence number) and a body (§3.2).
 */

export const COMMAND = {
  genericNack: 0x80000000,
  bindReceiver: 0x01,
  bindTransmitter: 0x02,
  submitSm: 0x04,
  deliverSm: 0x05,
  unbind: 0x06,
  bindTransceiver: 0x09,
  enquireLink: 0x15,
} as const;
/** Set in the command id of every response (§5.1.2.1). */
const RESPONSE_BIT = 0x80000000;

/** Command status, §5.1.3. */
export const STATUS = {
  ok: 0x00,
  badLength: 0x02,
  unknownCommand: 0x03,
  notBound: 0x04,
  systemError: 0x08,
  bindFailed: 0x0d,
  badPassword: 0x0e,
  badSystemId: 0x0f,
  queueFull: 0x14,
  throttled: 0x58,
  temporarilyRejected: 0x64,
  rejected: 0x65,
} as const;

export type Pdu = {
  readonly command: number;
  readonly status: number;
  readonly sequence: number;
  readonly body: Buffer;
};

const HEADER_OCTETS = 16;
/** A short message, its optional parameters and room to spare. */
const PDU_OCTETS_MAX = 8_192;

export function isResponse({ command }: Pdu): boolean {
  return command >= RESPONSE_BIT;
}

export function responseTo(command: number): number {
  return (command | RESPONSE_BIT) >>> 0;
}

export function writePdu({ command, status, sequence, body }: Pdu): Buffer {
  const octets = Buffer.allocUnsafe(HEADER_OCTETS + body.length);
  octets.writeUInt32BE(octets.length, 0);
  octets.writeUInt32BE(command, 4);
  octets.writeUInt32BE(status, 8);
  octets.writeUInt32BE(sequence, 12);
  body.copy(octets, HEADER_OCTETS);
  return octets;
}

export type Framed =
  | { readonly type: "pdu"; readonly pdu: Pdu; readonly rest: Buffer }
  | { readonly type: "more" }
  /** What follows cannot be told apart any more: the link has to be given up. */
  | { readonly type: "broken"; readonly reason: string };

/** The first PDU of what has arrived. */
export function readPdu(octets: Buffer): Framed {
  if (octets.length < 4) return { type: "more" };
  const length = octets.readUInt32BE(0);
  if (length < HEADER_OCTETS || length > PDU_OCTETS_MAX) {
    return { type: "broken", reason: `a PDU of ${length} octets` };
  }
  if (octets.length < length) return { type: "more" };
  const pdu = {
    command: octets.readUInt32BE(4),
    status: octets.readUInt32BE(8),
    sequence: octets.readUInt32BE(12),
    body: octets.subarray(HEADER_OCTETS, length),
  };
  return { type: "pdu", pdu, rest: octets.subarray(length) };
}

/** A body that is not what its command says: the sender is told, the link stays. */
export class PduError extends Error {
  override readonly name = "PduError";
}

export type Bind = {
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
};

const INTERFACE_VERSION = 0x34;

/** §4.1.5: bind_transceiver and its kin. */
export function writeBind({ systemId, password, systemType }: Bind): Buffer {
  const numbers = Buffer.from([INTERFACE_VERSION, 0, 0]);
  const texts = [systemId, password, systemType].map(cString);
  return Buffer.concat([...texts, numbers, cString("")]);
}

export function readBind(body: Buffer): Bind {
  const reader = createReader(body);
  const systemId = reader.cString(16);
  const password = reader.cString(9);
  const systemType = reader.cString(13);
  return { systemId, password, systemType };
}

export type Address = { readonly ton: number; readonly npi: number; readonly address: string };
/** What deliver_sm and submit_sm say (§4.4.1, §4.6.1); dates and priorities mean nothing here. */
export type ShortMessage = {
  readonly serviceType: string;
  readonly source: Address;
  readonly destination: Address;
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly text: Buffer;
  /** Optional parameters by tag. */
  readonly tlvs: ReadonlyMap<number, Buffer>;
};

/** Optional parameters, §5.3.2. */
export const TAG = {
  userMessageReference: 0x0204,
  messagePayload: 0x0424,
  ussdServiceOp: 0x0501,
  itsSessionInfo: 0x1383,
} as const;

const SHORT_MESSAGE_OCTETS_MAX = 254;
const ADDRESS_OCTETS_MAX = 21;

export function writeShortMessage(message: ShortMessage): Buffer {
  const { serviceType, source, destination, esmClass, dataCoding, text, tlvs } = message;
  const isLong = text.length > SHORT_MESSAGE_OCTETS_MAX;
  const short = isLong ? Buffer.alloc(0) : text;
  const parts = [
    cString(serviceType),
    ...[source, destination].flatMap(({ ton, npi, address }) => [
      Buffer.from([ton, npi]),
      cString(address),
    ]),
    Buffer.from([esmClass, 0, 0]),
    cString(""), // schedule_delivery_time
    cString(""), // validity_period
    Buffer.from([0, 0, dataCoding, 0, short.length]),
    short,
  ];
  for (const [tag, value] of tlvs) parts.push(tlv(tag, value));
  if (isLong) parts.push(tlv(TAG.messagePayload, text));
  return Buffer.concat(parts);
}

/** Throws PduError. */
export function readShortMessage(body: Buffer): ShortMessage {
  const reader = createReader(body);
  const serviceType = reader.cString(6);
  const address = (): Address => ({
    ton: reader.octet(),
    npi: reader.octet(),
    address: reader.cString(ADDRESS_OCTETS_MAX),
  });
  const source = address();
  const destination = address();
  const esmClass = reader.octet();
  reader.octets(2); // protocol_id, priority_flag
  reader.cString(17); // schedule_delivery_time
  reader.cString(17); // validity_period
  reader.octets(2); // registered_delivery, replace_if_present_flag
  const dataCoding = reader.octet();
  reader.octet(); // sm_default_msg_id
  const short = reader.octets(reader.octet());
  const tlvs = new Map<number, Buffer>();
  while (!reader.isAtEnd()) {
    const tag = reader.short();
    tlvs.set(tag, reader.octets(reader.short()));
  }
  const text = short.length === 0 ? (tlvs.get(TAG.messagePayload) ?? short) : short;
  return { serviceType, source, destination, esmClass, dataCoding, text, tlvs };
}

/** Text as the parameters of ids and addresses have it: ASCII, NUL at the end. */
export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, "latin1");
}

function tlv(tag: number, value: Buffer): Buffer {
  const header = Buffer.allocUnsafe(4);
  header.writeUInt16BE(tag, 0);
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value]);
}

function createReader(body: Buffer) {
  let at = 0;
  const take = (count: number): number => {
    const start = at;
    at += count;
    if (at > body.length) throw new PduError("the PDU ends too early");
    return start;
  };
  return {
    octet: () => body.readUInt8(take(1)),
    short: () => body.readUInt16BE(take(2)),
    octets(count: number) {
      const start = take(count);
      return body.subarray(start, start + count);
    },
    /** `octetsMax` counts the NUL, as the tables of SMPP do. */
    cString(octetsMax: number): string {
      const end = body.indexOf(0, at);
      if (end === -1 || end - at >= octetsMax) throw new PduError("a text without its end");
      const text = body.toString("latin1", at, end);
      at = end + 1;
      return text;
    },
    isAtEnd: () => at >= body.length,
  };
}
