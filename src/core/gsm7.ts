/**
 * The alphabet of a USSD string: GSM 03.38 (3GPP TS 23.038 §6.2.1) default table and extension
 * table, and its packing into octets (§6.1.2.3). National language shift tables are a feature of
 * SMS and not assumed here.
 */

const ESCAPE = 0x1b;
const CARRIAGE_RETURN = 0x0d;

// Index = septet. The escape at 0x1b is no character: the form feed that stands in for it belongs
// to the extension table, which is entered second.
const DEFAULT_TABLE =
  "@£$¥èéùìòÇ\nØø\rÅå" +
  "Δ_ΦΓΛΩΠΨΣΘΞ\fÆæßÉ" +
  " !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
  "¿abcdefghijklmnopqrstuvwxyzäöñüà";

/** Sent as escape + septet: two places each. */
const EXTENSION_TABLE: ReadonlyMap<number, string> = new Map([
  [0x0a, "\f"],
  [0x14, "^"],
  [0x28, "{"],
  [0x29, "}"],
  [0x2f, "\\"],
  [0x3c, "["],
  [0x3d, "~"],
  [0x3e, "]"],
  [0x40, "|"],
  [0x65, "€"],
]);

// The euro sign has the highest code unit of the alphabet.
const CODES_MAX = 0x20ac + 1;
/** By code unit: septets it takes, 0 where it is outside the alphabet. */
const COSTS = new Uint8Array(CODES_MAX);
/** By code unit: its septet, to be read only where COSTS is not 0. */
const SEPTETS = new Uint8Array(CODES_MAX);
for (let septet = 0; septet < DEFAULT_TABLE.length; septet += 1) {
  const code = DEFAULT_TABLE.charCodeAt(septet);
  COSTS[code] = 1;
  SEPTETS[code] = septet;
}
for (const [septet, character] of EXTENSION_TABLE) {
  const code = character.charCodeAt(0);
  COSTS[code] = 2;
  SEPTETS[code] = septet;
}

/** Septets that one UTF-16 code unit takes; 0 when it is outside the alphabet. */
export function septetCost(code: number): number {
  return code < CODES_MAX ? (COSTS[code] ?? 0) : 0;
}

/** Septets that the text takes; undefined when a character is outside the alphabet. */
export function septetsOf(text: string): number | undefined {
  let septets = 0;
  for (let at = 0; at < text.length; at += 1) {
    const cost = septetCost(text.charCodeAt(at));
    if (cost === 0) return undefined;
    septets += cost;
  }
  return septets;
}

/** Octets that so many septets fill. */
export function packedOctets(septets: number): number {
  return Math.ceil((septets * 7) / 8);
}

/** Septets that so many octets hold: 182 in the 160 of a USSD string (TS 23.038 §6.1.2.3). */
export function septetsMax(octets: number): number {
  return Math.floor((octets * 8) / 7);
}

/** Throws a RangeError for a text with characters outside the alphabet: ask septetsOf first. */
export function packSeptets(text: string): Uint8Array {
  const septets = toSeptets(text);
  padWithCarriageReturn(septets);
  const packed = new Uint8Array(packedOctets(septets.length));
  for (const [index, septet] of septets.entries()) {
    const bit = index * 7;
    const octet = bit >> 3;
    const spread = septet << (bit & 7);
    packed[octet] = (packed[octet] ?? 0) | (spread & 0xff);
    if (spread > 0xff) packed[octet + 1] = spread >> 8;
  }
  return packed;
}

export function unpackSeptets(octets: Uint8Array): string {
  const count = septetsMax(octets.length);
  const septets: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const bit = index * 7;
    const octet = bit >> 3;
    const pair = (octets[octet] ?? 0) | ((octets[octet + 1] ?? 0) << 8);
    septets.push((pair >> (bit & 7)) & 0x7f);
  }
  // A last CR on an octet boundary is padding.
  if (count % 8 === 0 && septets.at(-1) === CARRIAGE_RETURN) septets.pop();
  return fromSeptets(septets);
}

/** One septet an entry, not packed. Throws as packSeptets does. */
export function toSeptets(text: string): number[] {
  const septets: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const cost = septetCost(code);
    // The character is not quoted: errors are logged, and screens are not.
    if (cost === 0) throw new RangeError(`character ${at} is outside GSM 03.38`);
    if (cost === 2) septets.push(ESCAPE);
    septets.push(SEPTETS[code] ?? 0);
  }
  return septets;
}

// Seven spare zero bits would read as "@", so CR fills them; a text that itself ends in CR on an
// octet boundary gets a second one, so that the receiver does not take its own for padding.
function padWithCarriageReturn(septets: number[]): void {
  const spare = septets.length % 8;
  const endsInCr = spare === 0 && septets.at(-1) === CARRIAGE_RETURN;
  if (spare === 7 || endsInCr) septets.push(CARRIAGE_RETURN);
}

/** The text of septets that are not packed. */
export function fromSeptets(septets: readonly number[]): string {
  let text = "";
  for (let index = 0; index < septets.length; index += 1) {
    const septet = septets[index] ?? 0;
    if (septet !== ESCAPE) {
      text += DEFAULT_TABLE.charAt(septet);
      continue;
    }
    index += 1;
    text += escapedCharacter(septets[index]);
  }
  return text;
}

// TS 23.038 §6.2.1.1: what the extension table lacks is read in the default table, and an escape
// after an escape shows as a space.
function escapedCharacter(septet: number | undefined): string {
  if (septet === undefined) return "";
  if (septet === ESCAPE) return " ";
  return EXTENSION_TABLE.get(septet) ?? DEFAULT_TABLE.charAt(septet);
}
