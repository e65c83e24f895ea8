/**
 * XML as USSD wires use it: elements by local name, attributes and text (PROTOCOLS 21.10). No DTD
 * and no entities but the five that every reader knows, so nothing grows and nothing is fetched;
 * every bound is a number, and each character is looked at a fixed number of times.
 */
import { WireError } from "../core/failure.ts";
import type { WireReply, WireRequest } from "../types.ts";
import { requirePlain } from "./fields.ts";

export type XmlElement = {
  /** Without a prefix: networks disagree on namespaces, and on nothing that is in them. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text, what is inside of children left out. */
  readonly text: string;
};

type Code = "bad_body" | "bad_reply";
type Open = {
  readonly element: XmlElement & { readonly children: XmlElement[]; text: string };
  readonly tag: string;
};

const CHARS_MAX = 64 * 1024;
const DEPTH_MAX = 16;
const ELEMENTS_MAX = 256;
const ATTRIBUTES_MAX = 32;
const NAME = /[A-Za-z_\u00c0-\ud7ff][\w.\u00b7-\ud7ff-]{0,63}(?::[A-Za-z_][\w.-]{0,63})?/y;
const SPACES = /[ \t\r\n]*/y;
const DECLARATION = /^<\?xml[ \t\r\n][^?<]{0,200}\?>/;
const ENCODING = /\sencoding\s{0,9}=\s{0,9}["']([^"']{0,40})["']/;
/** XML 1.0 §2.2: no controls but tab and line ends, no half of a surrogate pair. */
const ILLEGAL = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** The root of a body that says it is XML, or does not say what it is. */
export function readXml(
  { headers, body }: Pick<WireRequest | WireReply, "headers" | "body">,
  code: Code,
) {
  requirePlain(headers, code);
  const type = headers["content-type"];
  if (type !== undefined && !isXmlType(type)) {
    throw new WireError(code, "content-type must be text/xml or application/xml in UTF-8");
  }
  return parseXml(body, code);
}

function isXmlType(header: string): boolean {
  if (header === "text/xml" || header === "text/xml; charset=utf-8") return true;
  const [media = "", ...parameters] = header.toLowerCase().split(";", 5);
  const isXml = /^(?:text|application)\/(?:soap\+)?xml$/.test(media.trim());
  return isXml && parameters.every((parameter) => !isOtherCharset(parameter));
}

function isOtherCharset(parameter: string): boolean {
  const [name = "", value = ""] = parameter.split("=", 2);
  return name.trim() === "charset" && !isUtf8(value.trim().replaceAll('"', ""));
}

function isUtf8(encoding: string): boolean {
  return /^(?:utf-?8|us-ascii)$/i.test(encoding);
}

/** Throws WireError, and never quotes what it read. */
export function parseXml(body: string, code: Code): XmlElement {
  const bad = (detail: string): WireError => new WireError(code, `XML: ${detail}`);
  if (body.length > CHARS_MAX) throw bad(`more than ${CHARS_MAX} characters`);
  if (ILLEGAL.test(body) || !body.isWellFormed()) throw bad("a character that XML does not have");
  const text = body.startsWith("\ufeff") ? body.slice(1) : body;
  const reader = new Reader(text, bad);
  const declaration = DECLARATION.exec(text)?.[0];
  if (declaration !== undefined) {
    const encoding = ENCODING.exec(declaration)?.[1];
    if (encoding !== undefined && !isUtf8(encoding)) throw bad("the encoding must be UTF-8");
    reader.at = declaration.length;
  }
  return reader.read();
}

class Reader {
  at = 0;
  readonly #text: string;
  readonly #bad: (detail: string) => WireError;
  readonly #open: Open[] = [];
  #elements = 0;
  #root: XmlElement | undefined;

  constructor(text: string, bad: (detail: string) => WireError) {
    this.#text = text;
    this.#bad = bad;
  }

  read(): XmlElement {
    const text = this.#text;
    while (this.at < text.length) {
      const tag = text.indexOf("<", this.at);
      const end = tag === -1 ? text.length : tag;
      if (end > this.at) this.#addText(this.#unescaped(text.slice(this.at, end), "text"));
      this.at = end;
      if (end < text.length) this.#readMarkup();
    }
    if (this.#open.length > 0) throw this.#bad("an element is not closed");
    if (this.#root === undefined) throw this.#bad("there is no element");
    return this.#root;
  }

  #readMarkup(): void {
    const text = this.#text;
    const mark = text[this.at + 1];
    if (mark === "/") return this.#close();
    if (mark !== "!" && mark !== "?") return this.#begin();
    if (text.startsWith("<!--", this.at)) return void this.#until("-->", 4);
    if (text.startsWith("<![CDATA[", this.at)) {
      if (this.#open.length === 0) throw this.#bad("text outside of the root");
      return this.#addText(lineEnds(this.#until("]]>", 9)));
    }
    if (text.startsWith("<!", this.at)) throw this.#bad("a DTD is not accepted");
    if (/^xml[\s?]/i.test(text.slice(this.at + 2, this.at + 6)))
      throw this.#bad("a declaration that is not at the start or too long");
    this.#until("?>", 2);
  }

  #until(mark: string, skip: number): string {
    const start = this.at + skip;
    const end = this.#text.indexOf(mark, start);
    if (end === -1) throw this.#bad(`${mark} is missing`);
    this.at = end + mark.length;
    return this.#text.slice(start, end);
  }

  #begin(): void {
    this.at += 1;
    const tag = this.#name();
    if (this.#root !== undefined && this.#open.length === 0) throw this.#bad("more than one root");
    if (this.#open.length === DEPTH_MAX) throw this.#bad(`deeper than ${DEPTH_MAX}`);
    this.#elements += 1;
    if (this.#elements > ELEMENTS_MAX) throw this.#bad(`more than ${ELEMENTS_MAX} elements`);
    const attributes = this.#attributes();
    const element = { name: localName(tag), attributes, children: [], text: "" };
    this.#open.at(-1)?.element.children.push(element);
    this.#root ??= element;
    if (this.#text.startsWith("/>", this.at)) {
      this.at += 2;
      return;
    }
    if (this.#text[this.at] !== ">") throw this.#bad("a tag is not closed");
    this.at += 1;
    this.#open.push({ element, tag });
  }

  #attributes(): ReadonlyMap<string, string> {
    const text = this.#text;
    // Most elements of these wires have none.
    if (text[this.at] === ">") return NO_ATTRIBUTES;
    let attributes = NO_ATTRIBUTES;
    const seen = new Set<string>();
    for (;;) {
      const before = this.at;
      this.#skipSpaces();
      const next = text[this.at];
      if (next === ">" || next === "/" || next === undefined) return attributes;
      if (this.at === before) throw this.#bad("a space is missing before an attribute");
      const name = this.#name();
      if (seen.has(name)) throw this.#bad("an attribute is given twice");
      if (seen.size === ATTRIBUTES_MAX) throw this.#bad(`more than ${ATTRIBUTES_MAX} attributes`);
      seen.add(name);
      const value = this.#value();
      if (/^xmlns(?::|$)/.test(name)) continue;
      if (attributes === NO_ATTRIBUTES) attributes = new Map();
      (attributes as Map<string, string>).set(localName(name), value);
    }
  }

  #value(): string {
    const text = this.#text;
    this.#skipSpaces();
    if (text[this.at] !== "=") throw this.#bad("an attribute has no value");
    this.at += 1;
    this.#skipSpaces();
    const quote = text[this.at];
    if (quote !== '"' && quote !== "'") throw this.#bad("an attribute is not in quotes");
    const value = this.#until(quote, 1);
    if (value.includes("<")) throw this.#bad("< in an attribute");
    return this.#unescaped(value, "attribute");
  }

  #close(): void {
    this.at += 2;
    const open = this.#open.pop();
    const end = this.at + (open?.tag.length ?? 0);
    if (open !== undefined && this.#text[end] === ">" && this.#text.startsWith(open.tag, this.at)) {
      this.at = end + 1;
      return;
    }
    const tag = this.#name();
    this.#skipSpaces();
    if (this.#text[this.at] !== ">") throw this.#bad("a tag is not closed");
    this.at += 1;
    if (open?.tag !== tag) throw this.#bad("elements are not nested");
  }

  #name(): string {
    const start = this.at;
    NAME.lastIndex = start;
    if (!NAME.test(this.#text)) throw this.#bad("a name is missing or not allowed");
    this.at = NAME.lastIndex;
    return this.#text.slice(start, this.at);
  }

  #skipSpaces(): void {
    SPACES.lastIndex = this.at;
    SPACES.test(this.#text);
    this.at = SPACES.lastIndex;
  }

  #addText(text: string): void {
    const open = this.#open.at(-1);
    if (open !== undefined) open.element.text += text;
    else if (text.trim() !== "") throw this.#bad("text outside of the root");
  }

  /** XML 1.0 §2.11 and §3.3.3: line ends become "\n", in attributes a space. */
  #unescaped(raw: string, where: "text" | "attribute"): string {
    const plain = lineEnds(raw);
    const text = where === "text" ? plain : plain.replace(/[\t\n]/g, " ");
    if (!text.includes("&")) return text;
    return text.replace(/&([^;&]{0,12})(;?)/g, (_, name: string, semicolon: string) => {
      const character = ENTITIES.get(name) ?? numbered(name);
      if (semicolon === "" || character === undefined)
        throw this.#bad("an entity that is not one of XML's own five");
      return character;
    });
  }
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function lineEnds(text: string): string {
  return text.includes("\r") ? text.replaceAll("\r\n", "\n").replaceAll("\r", "\n") : text;
}

/** "#243" and "#xF3"; undefined for what is no character of XML. */
function numbered(name: string): string | undefined {
  const digits = /^#(?:([0-9]{1,7})|x([0-9A-Fa-f]{1,6}))$/.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number.parseInt(digits[2] ?? "", 16) : Number(digits[1]);
  if (code > 0x10ffff) return undefined;
  const character = String.fromCodePoint(code);
  return ILLEGAL.test(character) || !character.isWellFormed() ? undefined : character;
}

/** The first child of that name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** The text of a child, undefined where there is no such child; given twice is refused. */
export function textIn(element: XmlElement, name: string, code: Code): string | undefined {
  let text: string | undefined;
  for (const child of element.children) {
    if (child.name !== name) continue;
    if (text !== undefined) throw new WireError(code, `${name} is given twice`);
    ({ text } = child);
  }
  return text;
}

/** An element with this text in it. */
export function tagged(name: string, text: string): string {
  return `<${name}>${escapeXml(text)}</${name}>`;
}

/** For text and for attributes in double quotes; what XML can't carry becomes a space. */
export function escapeXml(text: string): string {
  const whole = text.toWellFormed();
  if (!SUSPECT.test(whole)) return whole;
  return whole.replace(UNSAFE, (char) => ESCAPES[char] ?? " ");
}
/** Most texts have none; looking costs less than replacing nothing. */
const SUSPECT = /[&<>"'\r\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const UNSAFE = /[&<>"'\r\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#13;",
};

/** An attribute's line breaks are lost where they are not escaped (XML 1.0 §3.3.3). */
export function attributeOf(name: string, text: string): string {
  return ` ${name}="${escapeXml(text).replaceAll("\n", "&#10;").replaceAll("\t", "&#9;")}"`;
}

export const XML_HEADERS = { "content-type": "text/xml" };
export const XML_UTF8_HEADERS = { "content-type": "text/xml; charset=utf-8" };
