/** Short messages as the plain values that codecs read and write, and back. */
import type { Alphabet } from "../../core/alphabets.ts";
import type { WireReply, WireRequest } from "../../types.ts";
import { type Address, type ShortMessage, TAG } from "./pdu.ts";
import { decodeText, encodeText } from "./text.ts";

/** Parameters by the names of the SMPP specification: numbers in decimal, octets in hexadecimal. */
const TLVS = [
  { name: "ussd_service_op", tag: TAG.ussdServiceOp, octets: 1, isNumber: true },
  { name: "user_message_reference", tag: TAG.userMessageReference, octets: 2, isNumber: true },
  { name: "its_session_info", tag: TAG.itsSessionInfo, octets: 2, isNumber: false },
] as const;

/** esm_class bits 5-2 (§5.2.12): 0 is an ordinary message, all else a receipt or the like. */
const MESSAGE_TYPE_BITS = 0x3c;

export function isOrdinary({ esmClass }: ShortMessage): boolean {
  return (esmClass & MESSAGE_TYPE_BITS) === 0;
}

export function toWire(message: ShortMessage, method: string, alphabet: Alphabet): WireRequest {
  const { serviceType, source, destination, tlvs } = message;
  const headers: Record<string, string | undefined> = {
    service_type: serviceType,
    source_addr: source.address === "" ? undefined : source.address,
    destination_addr: destination.address === "" ? undefined : destination.address,
  };
  for (const { name, tag, octets, isNumber } of TLVS) {
    const value = tlvs.get(tag);
    if (value?.length !== octets) continue;
    headers[name] = isNumber ? String(value.readUIntBE(0, octets)) : value.toString("hex");
  }
  return { method, path: "", query: "", headers, body: decodeText(message, alphabet) };
}

export function fromWire(
  { headers, body }: Pick<WireReply, "headers" | "body">,
  alphabet: Alphabet,
  ton: { readonly source: number; readonly destination: number },
): ShortMessage {
  const tlvs = new Map<number, Buffer>();
  for (const { name, tag, octets, isNumber } of TLVS) {
    const text = headers[name];
    if (text === undefined) continue;
    const value = Buffer.alloc(octets);
    value.writeUIntBE(isNumber ? Number(text) : Number.parseInt(text, 16), 0, octets);
    tlvs.set(tag, value);
  }
  return {
    serviceType: headers["service_type"] ?? "",
    source: addressOf(headers["source_addr"], ton.source),
    destination: addressOf(headers["destination_addr"], ton.destination),
    esmClass: 0,
    tlvs,
    ...encodeText(body, alphabet),
  };
}

/** Numbering plan of telephone numbers (E.163, E.164), §5.2.6. */
const NPI_ISDN = 1;

function addressOf(address = "", ton: number): Address {
  return { ton, npi: NPI_ISDN, address };
}

/** Type of number, §5.2.5: subscribers are international numbers, codes are nobody's. */
export const TON_INTERNATIONAL = 1;
export const TON_UNKNOWN = 0;
