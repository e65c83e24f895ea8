/** Two bodies by what they say: order, spacing and escapes are the sender's choice. */
import assert from "node:assert/strict";

export type Attested = {
  readonly body: string;
  /** "subset": only the keys shown are attested. "xml-canonical": as every XML is compared here. */
  readonly match?: string;
  /** Keys that are not compared: time stamps. */
  readonly ignore?: readonly string[];
};

/** Throws an AssertionError where `body` says something else than the attested one. */
export function checkBody(body: string, { body: attested, match, ignore = [] }: Attested): void {
  if (attested.trimStart().startsWith("<")) {
    assert.deepEqual(readTags(body), readTags(attested));
    return;
  }
  if (!attested.trimStart().startsWith("{")) {
    assert.equal(body, attested);
    return;
  }
  const wanted = JSON.parse(attested) as unknown;
  const found = JSON.parse(body) as unknown;
  assert.deepEqual(
    match === "subset" ? shownOf(found, wanted, ignore) : without(found, ignore),
    without(wanted, ignore),
  );
}

/** The fields of a query, a form or a JSON object, nested ones as "data.text". */
export function fieldsOf(text: string): ReadonlyMap<string, string> {
  if (!text.trimStart().startsWith("{")) return new Map(new URLSearchParams(text));
  const fields = new Map<string, string>();
  const add = (value: unknown, name: string): void => {
    if (!isObject(value)) {
      fields.set(name, String(value));
      return;
    }
    for (const [key, inner] of Object.entries(value)) add(inner, name ? `${name}.${key}` : key);
  };
  add(JSON.parse(text), "");
  return fields;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function without(value: unknown, ignore: readonly string[]): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !ignore.includes(name))
      .map(([name, inner]) => [name, without(inner, ignore)]),
  );
}

/** Of what was found, the part that the attested value speaks of. */
function shownOf(found: unknown, wanted: unknown, ignore: readonly string[]): unknown {
  if (!isObject(found) || !isObject(wanted)) return found;
  return Object.fromEntries(
    Object.keys(wanted)
      .filter((name) => !ignore.includes(name) && Object.hasOwn(found, name))
      .map((name) => [name, shownOf(found[name], wanted[name], ignore)]),
  );
}

/**
 * Tags with their attributes, and texts, one an entry. White space between elements is left out,
 * and so are declarations of namespaces' prefixes: what they stand for is compared, not their name.
 */
function readTags(xml: string): readonly string[] {
  const items: string[] = [];
  const spaces = new Map<string, string>();
  const tokens = xml
    .replaceAll(/<\?[^]*?\?>|<!--[^]*?-->/g, "")
    .matchAll(/<!\[CDATA\[([^]*?)\]\]>|<(\/?)([^\s/>]+)([^>]*?)(\/?)>|([^<]+)/g);
  for (const [, cdata, closing, name = "", attributes = "", empty, text] of tokens) {
    if (cdata !== undefined) items.push(`"${cdata}"`);
    if (text !== undefined && text.trim() !== "") items.push(`"${unescaped(text.trim())}"`);
    if (closing === undefined) continue;
    const own = [...attributes.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
      ([, key = "", double, single]) => [key, unescaped(double ?? single ?? "")] as const,
    );
    for (const [key, value] of own) if (key.startsWith("xmlns")) spaces.set(key.slice(6), value);
    const shown = own
      .filter(([key]) => !key.startsWith("xmlns"))
      .map(([key, value]) => ` ${key}="${value}"`)
      .toSorted();
    const qualified = qualify(name, spaces);
    items.push(closing === "/" ? `</${qualified}>` : `<${qualified}${shown.join("")}>`);
    if (empty === "/") items.push(`</${qualified}>`);
  }
  return items;
}

function qualify(name: string, spaces: ReadonlyMap<string, string>): string {
  const [prefix, local] = name.includes(":") ? name.split(":", 2) : ["", name];
  const space = spaces.get(prefix ?? "");
  return space === undefined ? (local ?? name) : `{${space}}${local}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" },
};

function unescaped(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return String.fromCodePoint(code);
  });
}
