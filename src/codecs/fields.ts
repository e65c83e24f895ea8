/**
 * Reading and writing the fields that wires are made of: strict, bounded, and never quoting a
 * value in an error, because it may be a PIN. RELIABILITY 2.6.
 */
import { asDialled, canonicalDialled, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import { measureScreen } from "../core/screen.ts";
import type { Backend, Dialled, Msisdn, Turn, WireReply, WireRequest } from "../types.ts";

export const INPUT_CHARS_MAX = 182;
const SESSION_ID_CHARS_MAX = 100;
const LABEL_CHARS_MAX = 40;
const DIALLED_CHARS_MAX = 182;
const FORM_FIELDS_MAX = 20;

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const JSON_HEADERS = { "content-type": JSON_TYPE };
const FORM_HEADERS = { "content-type": FORM_TYPE };

type Message = Pick<WireRequest | WireReply, "headers" | "body">;
type BodyCode = "bad_body" | "bad_reply";
export type JsonFields = Readonly<Record<string, unknown>>;
export type FormFields = ReadonlyMap<string, string>;
type Fields = Readonly<Record<string, string | number | boolean>>;

/** `__proto__` becomes a plain key here and is never read: only named fields are. */
export function readJson({ headers, body }: Message, code: BodyCode): JsonFields {
  requireType(headers, JSON_TYPE, code);
  const value = parseJson(body);
  if (value === undefined) throw new WireError(code, "body is not valid JSON");
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WireError(code, "body is not a JSON object");
  }
  return value as JsonFields;
}

/** Undefined when it is not JSON: what JSON.parse throws quotes the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** URLSearchParams takes any number of fields, twice the same one, and invalid UTF-8. */
export function readForm({ headers, body }: Message): FormFields {
  requireType(headers, FORM_TYPE, "bad_body");
  return parseForm(body, false);
}

/** The fields of a network that asks by GET. What it says in a body besides is not read. */
export function readQuery({ query }: WireRequest): FormFields {
  return parseForm(query, true);
}

/** Of networks that ask either way. */
export function readQueryOrForm(request: WireRequest): FormFields {
  return request.method === "GET" ? readQuery(request) : readForm(request);
}

/** Airtel's clean-up call has values without a name, many of them (PROTOCOLS 14.1). */
function parseForm(text: string, skipsNameless: boolean): FormFields {
  const fields = new Map<string, string>();
  for (let start = 0; start < text.length;) {
    const ampersand = text.indexOf("&", start);
    const end = ampersand === -1 ? text.length : ampersand;
    const isSkipped = skipsNameless && text[start] === "=";
    if (end > start && !isSkipped) addField(fields, text, start, end);
    start = end + 1;
  }
  return fields;
}

function addField(fields: Map<string, string>, body: string, start: number, end: number): void {
  if (fields.size === FORM_FIELDS_MAX) {
    throw new WireError("bad_body", `form has more than ${FORM_FIELDS_MAX} fields`);
  }
  const equals = body.indexOf("=", start);
  const nameEnd = equals === -1 || equals > end ? end : equals;
  const name = unescapeForm(body.slice(start, nameEnd));
  if (fields.has(name)) throw new WireError("bad_body", `${printable(name)} is given twice`);
  fields.set(name, nameEnd === end ? "" : unescapeForm(body.slice(nameEnd + 1, end)));
}

function unescapeForm(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw new WireError("bad_body", "form has an escape that is not valid UTF-8");
  }
}

function requireType(headers: Message["headers"], type: string, code: BodyCode): void {
  if (!isType(headers["content-type"], type)) {
    throw new WireError(code, `content-type must be ${type} in UTF-8`);
  }
  requirePlain(headers, code);
}

/** RELIABILITY 2.4, 2.6: nothing is decompressed, so nothing can be a bomb. */
export function requirePlain(headers: Message["headers"], code: BodyCode): void {
  if (headers["content-encoding"] === undefined) return;
  throw new WireError(code, "content-encoding is not accepted");
}

function isType(header: string | undefined, type: string): boolean {
  if (header === type) return true;
  if (header === undefined) return false;
  const [media = "", ...parameters] = header.toLowerCase().split(";", 5);
  return media.trim() === type && parameters.every(isUtf8IfCharset);
}

function isUtf8IfCharset(parameter: string): boolean {
  const [name = "", value = ""] = parameter.split("=", 2);
  if (name.trim() !== "charset") return true;
  const charset = value.trim().replaceAll('"', "");
  return charset === "utf-8" || charset === "utf8";
}

/** A name the sender made up, where an error has to name it. */
function printable(name: string): string {
  return /^[A-Za-z_][\w.-]{0,39}$/.test(name) ? name : "a field";
}

export function refuseUnknown(fields: JsonFields, known: ReadonlySet<string>): void {
  for (const name of Object.keys(fields)) {
    if (!known.has(name))
      throw new WireError("unknown_field", `${printable(name)} is not known here`);
  }
}

/** A string without control characters. What a person may type passes as it is. */
export function textOf(value: unknown, name: string, charsMax: number): string {
  if (value === undefined) throw new WireError("missing_field", `${name} is required`);
  if (typeof value !== "string") throw new WireError("bad_field", `${name} must be a string`);
  if (value.length > charsMax) {
    throw new WireError("bad_field", `${name} must have at most ${charsMax} characters`);
  }
  if (hasControls(value)) throw new WireError("bad_field", `${name} has control characters`);
  // Half a surrogate pair is no character: UTF-8 can't carry it to the backend.
  if (!value.isWellFormed()) throw new WireError("bad_field", `${name} is not valid Unicode`);
  return value;
}

function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Opaque: numbers beyond 2^53 are in use as session ids, so a JSON number is refused. */
export function idOf(value: unknown, name: string): string {
  const id = textOf(value, name, SESSION_ID_CHARS_MAX);
  if (id === "") throw new WireError("missing_field", `${name} is required`);
  return id;
}

/** A network's name for itself; absent and empty are the same. */
export function labelOf(value: unknown, name: string): string | undefined {
  if (value === undefined || value === "") return undefined;
  return textOf(value, name, LABEL_CHARS_MAX);
}

/** "258823456789": wires that say E.164 without the plus. */
export function bareMsisdnOf(value: unknown, name: string): Msisdn {
  const text = textOf(value, name, Infinity);
  if (!isE164(text, 0, 7)) {
    throw new WireError(
      "bad_msisdn",
      `${name} must be E.164 without +: 7 to 15 digits, the first not 0`,
    );
  }
  return parseMsisdn(text);
}

/** "+254712345678": wires that say E.164 with the plus. */
export function plusMsisdnOf(value: unknown, name: string): Msisdn {
  const text = textOf(value, name, Infinity);
  if (text.charCodeAt(0) !== PLUS || !isE164(text, 1, 8)) {
    throw new WireError(
      "bad_msisdn",
      `${name} must be E.164: + and 8 to 15 digits, the first not 0`,
    );
  }
  return parseMsisdn(text);
}

/**
 * E.164 with the plus or without. In a form or a query an unencoded plus is a space after decoding
 * (RELIABILITY 2.6).
 */
export function anyMsisdnOf(value: unknown, name: string): Msisdn {
  const text = textOf(value, name, Infinity);
  const start = text.startsWith("+") || text.startsWith(" ") ? 1 : 0;
  return bareMsisdnOf(text.slice(start), name);
}
const PLUS = 0x2b;
const ZERO = 0x30;
const NINE = 0x39;

function isE164(text: string, start: number, digitsMin: number): boolean {
  const digits = text.length - start;
  if (digits < digitsMin || digits > 15 || text.charCodeAt(start) === ZERO) return false;
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < ZERO || code > NINE) return false;
  }
  return true;
}

/** A code exactly as dialled, "*1234#". */
export function dialledOf(value: unknown, name: string): Dialled {
  return dialledBy(asDialled, value, name);
}

/** A code whose star and hash some networks leave out (PROTOCOLS 0, rule 5). */
export function looseDialledOf(value: unknown, name: string): Dialled {
  return dialledBy(canonicalDialled, value, name);
}

function dialledBy(
  read: (text: string) => Dialled | undefined,
  value: unknown,
  name: string,
): Dialled {
  const dialled = read(textOf(value, name, DIALLED_CHARS_MAX));
  if (dialled === undefined) throw new WireError("bad_dialled", `${name} must be like *1234#`);
  return dialled;
}

/** The same fields as a JSON body, or as a query where the backend was registered with GET. */
export function askInJson(fields: JsonFields, method: Backend["method"]): WireRequest {
  if (method === "GET") return askInQuery(inTexts(fields));
  return { method, path: "", query: "", headers: JSON_HEADERS, body: JSON.stringify(fields) };
}

export function askInForm(fields: Fields, method: Backend["method"]): WireRequest {
  if (method === "GET") return askInQuery(fields);
  return { method, path: "", query: "", headers: FORM_HEADERS, body: formOf(fields) };
}

export function askInQuery(fields: Fields): WireRequest {
  return { method: "GET", path: "", query: formOf(fields), headers: {}, body: "" };
}

/** What is no plain value, as the JSON that it is. */
function inTexts(fields: JsonFields): Fields {
  const texts = Object.entries(fields).map(([name, value]): [string, string] => {
    return [name, typeof value === "string" ? value : JSON.stringify(value)];
  });
  return Object.fromEntries(texts);
}

function formOf(fields: Fields): string {
  let form = "";
  for (const name of Object.keys(fields)) {
    const value = String(fields[name] ?? "");
    // encodeURIComponent throws on half a surrogate pair.
    form += `${form === "" ? "" : "&"}${name}=${encodeURIComponent(value.toWellFormed())}`;
  }
  return form;
}

/**
 * The first call of a dialogue. Numbers lost in a crash are not used again, so a first call may be
 * the seventh by number.
 */
export function isFirst({ number, input, inputs, dialledDigits }: Turn): boolean {
  return number === 1 || (input === "" && inputs.length === dialledDigits.length);
}

/** The code with the digits dialled after it, as a person typed it: "*365*2*500#". */
export function dialStringOf({ serviceCode, dialledDigits }: Turn): string {
  if (dialledDigits.length === 0) return serviceCode;
  return `${serviceCode.slice(0, -1)}*${dialledDigits.join("*")}#`;
}

/** "365*2" for "*365*2#": networks that leave star and hash out. */
export function bareCodeOf(code: string): string {
  return code.slice(1, -1);
}

/** Option of channels on wires that do not always say what was dialled. */
export const SERVICE_CODE_OPTION = {
  default: "",
  help: "what a channel serves, where the wire does not say: *365#",
} as const;

export function serviceCodeOptionOf(value: string, codec: string): Dialled | undefined {
  const dialled = asDialled(value);
  if (value === "" || dialled !== undefined) return dialled;
  throw new Error(`${codec}: option "service_code" must be like *365#`);
}

/** 3GPP TS 23.038 §6.1.2.3. */
const HANDSET_OCTETS_MAX = 160;

/** A limit in characters, whatever the alphabet, with line breaks as the wire writes them. */
export function charsAtMost(max: number, newline = "\n"): (screen: string) => boolean {
  return (screen) => {
    const written = screen.replaceAll("\n", newline);
    // A longer break takes room on the handset, too.
    return written.length <= max && measureScreen(written).octets <= HANDSET_OCTETS_MAX;
  };
}

/** The object that came, for wires that want all of it back: its numbers keep their digits. */
export function jsonToEcho(body: string): object {
  const value: unknown = ROUNDED.test(body) ? JSON.parse(body, keepDigits) : JSON.parse(body);
  return typeof value === "object" && value !== null ? value : {};
}

/** A number that may not be written as it was read; to look at each value costs twice the turn. */
const ROUNDED = /[:,[]\s*-?(?:\d{16}|\d{1,15}[.eE])/;

/** PROTOCOLS 0, rule 6: numbers beyond 2^53 are in use; to TypeScript both are still unknown. */
type Source = { readonly source?: string };
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };
function keepDigits(this: unknown, _: string, value: unknown, ...rest: Source[]): unknown {
  const source = rest[0]?.source;
  const isChanged = typeof value === "number" && source !== undefined && String(value) !== source;
  return isChanged ? rawJSON(source) : value;
}

export function answerInJson(status: number, body: unknown): WireReply {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(body) };
}

/** Another session's answer is never shown: subscriber A would read B's balance. */
export function requireSame(value: unknown, expected: string, name: string): void {
  if (value !== expected) throw new WireError("bad_reply", `${name} is not the one asked with`);
}

/** The number asked with; some applications put a plus before it (npm ussd-builder). */
export function requireSameMsisdn(value: unknown, expected: string, name: string): void {
  requireSame(typeof value === "string" ? value.replace(/^\+/, "") : value, expected, name);
}

/** What a backend may answer with: a status that says success, and nothing compressed. */
export function requireSuccess({ status, headers }: WireReply): void {
  if (status < 200 || status > 299) throw new WireError("bad_reply", `status is ${status}`);
  requirePlain(headers, "bad_reply");
}

/** Of a backend's reply: a text with something to show in it. */
export function screenOf(value: unknown, name: string): string {
  if (typeof value !== "string" || value.trim() === "") {
    throw new WireError("bad_reply", `${name} must be a text`);
  }
  return value;
}
