/** Texts of short messages: data_coding (SMPP 3.4 §5.2.19) and the alphabet behind its number. */
import type { Alphabet } from "../../core/alphabets.ts";
import { fromSeptets, packSeptets, septetsOf, toSeptets, unpackSeptets } from "../../core/gsm7.ts";

const DEFAULT = 0;
const LATIN1 = 3;
const UCS2 = 8;
/** Where an SMSC passes a cell broadcast scheme through (TS 23.038 §5): UCS-2, language unknown. */
const CBS_UCS2 = 0x48;

export type CodedText = { readonly dataCoding: number; readonly text: Buffer };

export function encodeText(text: string, alphabet: Alphabet): CodedText {
  if (alphabet === "latin1") {
    if (isLatin1(text)) return { dataCoding: DEFAULT, text: Buffer.from(text, "latin1") };
  } else if (septetsOf(text) !== undefined) {
    const octets = alphabet === "gsm7" ? toSeptets(text) : packSeptets(text);
    return { dataCoding: DEFAULT, text: Buffer.from(octets) };
  }
  return { dataCoding: UCS2, text: Buffer.from(text.toWellFormed(), "utf16le").swap16() };
}

export function decodeText({ dataCoding, text }: CodedText, alphabet: Alphabet): string {
  if (dataCoding === UCS2 || dataCoding === CBS_UCS2) {
    const whole = text.subarray(0, text.length - (text.length % 2));
    return Buffer.from(whole).swap16().toString("utf16le").toWellFormed();
  }
  if (dataCoding === LATIN1 || alphabet === "latin1") return text.toString("latin1");
  if (alphabet === "gsm7-packed") return unpackSeptets(text);
  return fromSeptets([...text].map((octet) => octet & 0x7f));
}

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0xff) return false;
  return true;
}
