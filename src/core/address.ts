/** Subscriber numbers and codes: parsed once at the edge into types that can't be wrong. */
import type { Dialled, Msisdn, ServiceCode } from "../types.ts";
import { WireError } from "./failure.ts";

// RELIABILITY 2.6: whole string, ASCII digits; JavaScript's `$` without the m flag matches only at
// the very end, so a trailing newline does not pass.
const MSISDN = /^[1-9][0-9]{6,14}$/;
const SERVICE_CODE = /^\*[1-9][0-9]{0,5}(?:\*[0-9]{1,10}){0,4}#$/;
const DIALLED = /^\*[0-9]{1,20}(?:\*[0-9]{1,20}){0,9}#$/;

/** E.164 digits, 7 to 15 of them, with or without the plus. */
export function parseMsisdn(text: string): Msisdn {
  const digits = text.startsWith("+") ? text.slice(1) : text;
  if (!MSISDN.test(digits))
    throw new WireError("bad_msisdn", "must be E.164: 7 to 15 digits, the first not 0");
  return digits as Msisdn;
}

/** "*365#" or "*384*1234#": what a backend may be registered for. */
export function asServiceCode(text: string): ServiceCode | undefined {
  return SERVICE_CODE.test(text) ? (text as ServiceCode) : undefined;
}

/** "*384*1234*2*500#" as it stands: stars and digits between "*" and "#". */
export function asDialled(text: string): Dialled | undefined {
  return DIALLED.test(text) ? (text as Dialled) : undefined;
}

/** Accepts "*384*1234#" and the bare "384*1234" or "*384*1234" some networks send. */
export function canonicalDialled(text: string): Dialled | undefined {
  const start = text.startsWith("*") ? 1 : 0;
  const end = text.endsWith("#") ? text.length - 1 : text.length;
  return asDialled(`*${text.slice(start, end)}#`);
}

/** The code with digits dialled after it: withDigits("*365#", "2*500") is "*365*2*500#". */
export function withDigits(dialled: Dialled, digits: string): Dialled | undefined {
  return asDialled(`${dialled.slice(0, -1)}*${digits}#`);
}

/** Digits dialled after `code`: ["2", "500"] for "*365*2*500#" behind "*365#". */
export function digitsAfter(code: ServiceCode, dialled: Dialled): readonly string[] {
  if (dialled.length <= code.length) return [];
  return dialled.slice(code.length, -1).split("*");
}

/** "258*****789": enough to recognise a number that one knows, not to read one. */
export function maskMsisdn(msisdn: string): string {
  return `${msisdn.slice(0, 3)}${"*".repeat(Math.max(3, msisdn.length - 6))}${msisdn.slice(-3)}`;
}
