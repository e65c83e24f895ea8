/** A wire as data, the same for a channel and for a backend: what `declarative` is created from. */

type Scalar = string | number | boolean;
/** The first is written, each is read. */
type Spelling = Scalar | readonly Scalar[];

/** What a field of a request says. */
export type RequestField =
  | "sessionId"
  | "messageId"
  /** With or without a plus where it is read; "+msisdn" is written with one. */
  | "msisdn"
  | "+msisdn"
  /** "*365#"; "bareCode" is written "365". */
  | "code"
  | "bareCode"
  /** Typed at this turn. */
  | "input"
  /** All that was typed, joined by "*". */
  | "history"
  | "network"
  /** "2026-01-31T23:59:59Z". */
  | "isoTime"
  /** Seconds. */
  | "unixTime"
  /** Not read, unless the reply says it back. */
  | { readonly constant: Scalar }
  /** The first such field tells where in its dialogue a request is; others are written alone. */
  | { readonly begin: Spelling; readonly continue: Spelling; readonly end?: Spelling };

/** What a field of a reply says. */
export type ReplyField =
  | "screen"
  | "sessionId"
  | "messageId"
  | "msisdn"
  | "+msisdn"
  | "network"
  | "isoTime"
  | "unixTime"
  | { readonly constant: Scalar }
  /** Name of a field of the request. */
  | { readonly echo: string }
  /** The first such field tells whether more is expected; others are written alone. */
  | Flag;
export type Flag = { readonly continue: Spelling; readonly end: Spelling };

export type Description = {
  readonly request: {
    readonly as: "json" | "form" | "query" | "xml" | "pipes";
    /** ["POST"] where it is left out, ["GET"] of a query. By GET, the same names are a query. */
    readonly methods?: readonly ("GET" | "POST")[];
    /** XML: local name of the root. */
    readonly root?: string;
    /** Written to backends. */
    readonly headers?: Readonly<Record<string, string>>;
    /** In the order of the wire; "payload.request" is `request` inside of `payload`. */
    readonly fields: Readonly<Record<string, RequestField>>;
    /**
     * Where no field tells how a dialogue begins, or where it is left out: with what looks like a
     * code, with an empty input, or with a session id not seen before.
     */
    readonly begins?: "dialString" | "emptyInput" | "unknown";
    /** The input of the first request: what was dialled, the code alone, or this text. */
    readonly firstInput?: "dialString" | "code" | { readonly constant: string };
  };
  readonly reply: {
    readonly as: "json" | "form" | "text" | "xml" | "pipes";
    readonly root?: string;
    readonly headers?: Readonly<Record<string, string | Flag>>;
    /** Of "text", before the screen. */
    readonly prefix?: { readonly continue: string; readonly end: string };
    readonly fields?: Readonly<Record<string, ReplyField>>;
    /** What a line of a screen ends with; "\n" where it is left out. */
    readonly newline?: string;
    /** JSON: the whole object of the request goes back, with these fields in it. */
    readonly echoesRequest?: boolean;
    /** What is refused gets a last reply without a screen, status 400; else an error as JSON. */
    readonly refusesInKind?: boolean;
  };
  /** The wire may name no session: the number is all there is. */
  readonly namesNoSession?: boolean;
  /** Octets: 160 GSM-7 characters are 140. */
  readonly screenOctetsMax?: number;
  /** Characters of any alphabet, line ends as they are written. */
  readonly screenCharsMax?: number;
};

const REQUEST_WORDS: readonly string[] = [
  ...["sessionId", "messageId", "msisdn", "+msisdn", "code", "bareCode", "input", "history"],
  ...["network", "isoTime", "unixTime"],
];
const REPLY_WORDS: readonly string[] = [
  ...["screen", "sessionId", "messageId", "msisdn", "+msisdn", "network", "isoTime", "unixTime"],
];
const REQUEST_FORMS = ["json", "form", "query", "xml", "pipes"];
const REPLY_FORMS = ["json", "form", "text", "xml", "pipes"];
const BEGINS = ["dialString", "emptyInput", "unknown"];
const PATH = /^(?!(?:.*\.)?__proto__)[A-Za-z_][\w-]{0,39}(?:\.[A-Za-z_][\w-]{0,39}){0,3}$/;
const ROOT = /^[A-Za-z_][\w.-]{0,39}$/;
const HEADER = /^[a-z0-9][a-z0-9-]{0,59}$/;
const HEADER_VALUE = /^[\x20-\x7e]{0,200}$/;
/** How a message is framed is not for a description to say. */
const FRAMING = new Set(["connection", "content-length", "transfer-encoding", "host", "trailer"]);
const FIELDS_MAX = 20;
const CHARS_MAX = 20_000;
const LIMITS = {
  screenOctetsMax: { min: 40, max: 1_600 },
  screenCharsMax: { min: 40, max: 1_600 },
};

type Bag = Readonly<Record<string, unknown>>;

/**
 * Options of a channel with `protocol: "declarative"`. Throws an Error that names the member that
 * is wrong and says what it may be.
 *
 * @example
 * const options = describeWire({
 *   request: {
 *     as: "form",
 *     begins: "emptyInput",
 *     fields: { id: "sessionId", from: "msisdn", code: "code", text: "input" },
 *   },
 *   reply: { as: "text", prefix: { continue: "CON ", end: "END " } },
 * });
 */
export function describeWire(description: Description): { readonly description: string } {
  const text = JSON.stringify(description);
  parseDescription(text);
  return { description: text };
}

/** Throws as `describeWire` does. */
export function parseDescription(text: string): Description {
  if (text.length > CHARS_MAX) wrong("description", `may have ${CHARS_MAX} characters at most`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    wrong("description", `must be JSON: ${error instanceof Error ? error.message : ""}`);
  }
  const top = bagOf(value, "description");
  onlyKnown(top, "description", ["request", "reply", "namesNoSession", ...Object.keys(LIMITS)]);
  checkRequest(bagOf(top["request"], "request"), top["namesNoSession"] === true);
  checkReply(bagOf(top["reply"], "reply"), bagOf(top["request"], "request"));
  onlyFlag(top["namesNoSession"], "namesNoSession");
  onlyFlag(bagOf(top["reply"], "reply")["refusesInKind"], "reply.refusesInKind");
  checkEchoes(bagOf(top["reply"], "reply"), bagOf(top["request"], "request"));
  checkLimits(top);
  return value as Description;
}

function checkRequest(request: Bag, namesNoSession: boolean): void {
  const known = ["as", "methods", "root", "headers", "fields", "begins", "firstInput"];
  onlyKnown(request, "request", known);
  oneOf(request["as"], "request.as", REQUEST_FORMS);
  checkRoot(request, "request");
  checkMethods(request["methods"]);
  for (const [name, value] of headersOf(request, "request")) {
    if (typeof value !== "string" || !HEADER_VALUE.test(value))
      wrong(`request.headers.${name}`, "must be a text of printable ASCII characters");
  }
  const fields = fieldsOf(request, "request");
  for (const [path, says] of fields) {
    if (typeof says === "object" && says !== null)
      checkObject(says as Bag, `request.fields.${path}`, [
        ["constant"],
        ["begin", "continue", "end?"],
      ]);
    else oneOf(says, `request.fields.${path}`, REQUEST_WORDS);
  }
  const words = fields.map(([, says]) => says);
  const says = (...wanted: readonly string[]) =>
    words.some((word) => wanted.includes(String(word)));
  if (!says("msisdn", "+msisdn")) wrong("request.fields", 'one must be "msisdn" or "+msisdn"');
  if (!says("input", "history")) wrong("request.fields", 'one must be "input" or "history"');
  if (!says("sessionId") && !namesNoSession)
    wrong("request.fields", 'one must be "sessionId", or namesNoSession true');
  const hasPhase = fields.some(([, field]) => isBag(field) && "begin" in field);
  const { begins, firstInput } = request;
  if (!hasPhase || begins !== undefined) oneOf(begins, "request.begins", BEGINS);
  if (isBag(firstInput)) checkObject(firstInput, "request.firstInput", [["constant"]]);
  else if (firstInput !== undefined)
    oneOf(firstInput, "request.firstInput", ["dialString", "code", "an object with constant"]);
}

function checkReply(reply: Bag, request: Bag): void {
  const known = [
    ...["as", "root", "headers", "prefix", "fields", "newline", "refusesInKind"],
    "echoesRequest",
  ];
  onlyKnown(reply, "reply", known);
  oneOf(reply["as"], "reply.as", REPLY_FORMS);
  checkRoot(reply, "reply");
  const flags: unknown[] = [];
  for (const [name, value] of headersOf(reply, "reply")) {
    const at = `reply.headers.${name}`;
    if (isBag(value)) {
      checkObject(value, at, [["continue", "end"]]);
      flags.push(value);
    } else if (typeof value !== "string" || !HEADER_VALUE.test(value))
      wrong(at, "must be a text of printable ASCII characters, or have continue and end");
  }
  const { prefix, newline } = reply;
  if (prefix !== undefined) {
    checkObject(bagOf(prefix, "reply.prefix"), "reply.prefix", [["continue", "end"]]);
    flags.push(prefix);
  }
  if (newline !== undefined && (typeof newline !== "string" || newline === ""))
    wrong("reply.newline", "must be a text, like \\r\\n");
  if (reply["as"] === "text") {
    if (reply["fields"] !== undefined) wrong("reply.fields", 'must be left out with as "text"');
  } else {
    if (prefix !== undefined) wrong("reply.prefix", 'goes with as "text" alone');
    const fields = fieldsOf(reply, "reply");
    for (const [path, says] of fields) checkReplyField(says, `reply.fields.${path}`, request);
    if (!fields.some(([, says]) => says === "screen"))
      wrong("reply.fields", 'one must be "screen"');
    flags.push(...fields.map(([, says]) => says).filter((says) => isBag(says) && "end" in says));
  }
  if (flags.length === 0)
    wrong("reply", "nothing tells whether more is expected: give continue and end to one");
}

function checkReplyField(says: unknown, at: string, request: Bag): void {
  if (!isBag(says)) return oneOf(says, at, REPLY_WORDS);
  checkObject(says, at, [["constant"], ["echo"], ["continue", "end"]]);
  const { echo } = says;
  if (echo === undefined) return;
  const names = Object.keys(bagOf(request["fields"], "request.fields"));
  oneOf(echo, `${at}.echo`, names);
}

function checkEchoes({ echoesRequest, as, fields = {} }: Bag, request: Bag): void {
  onlyFlag(echoesRequest, "reply.echoesRequest");
  if (echoesRequest !== true) return;
  const { methods = ["POST"] } = request;
  const isPost = Array.isArray(methods) && !methods.includes("GET");
  if (as !== "json" || request["as"] !== "json" || !isPost)
    wrong("reply.echoesRequest", "goes with JSON by POST, both asked and answered");
  const inside = Object.keys(fields as Bag).find((path) => path.includes("."));
  if (inside !== undefined)
    wrong(`reply.fields.${inside}`, "with echoesRequest fields are of the object itself");
}

function checkMethods(methods: unknown): void {
  if (methods === undefined) return;
  const list: readonly unknown[] = Array.isArray(methods) ? methods : [];
  const isFit = list.length > 0 && list.every((one) => one === "GET" || one === "POST");
  if (!isFit) wrong("request.methods", 'must be a list of "GET" and "POST"');
}

function onlyFlag(value: unknown, at: string): void {
  if (value !== undefined && typeof value !== "boolean") wrong(at, "must be true or false");
}

function checkLimits(top: Bag): void {
  for (const [name, { min, max }] of Object.entries(LIMITS)) {
    const limit = top[name];
    if (limit === undefined) continue;
    const isFit = Number.isInteger(limit) && Number(limit) >= min && Number(limit) <= max;
    if (!isFit) wrong(name, `must be a whole number from ${min} to ${max}`);
  }
}

function checkRoot({ as, root }: Bag, at: string): void {
  if (as === "xml" ? typeof root !== "string" || !ROOT.test(root) : root !== undefined)
    wrong(`${at}.root`, 'is the local name of the root with as "xml", and left out else');
}

function headersOf(bag: Bag, at: string): readonly (readonly [string, unknown])[] {
  const headers = Object.entries(bagOf(bag["headers"] ?? {}, `${at}.headers`));
  for (const [name] of headers) {
    if (!HEADER.test(name) || FRAMING.has(name))
      wrong(`${at}.headers`, "names are in small letters, and none that frames a message");
  }
  return headers;
}

function fieldsOf(bag: Bag, at: string): readonly (readonly [string, unknown])[] {
  const fields = Object.entries(bagOf(bag["fields"], `${at}.fields`));
  if (fields.length === 0 || fields.length > FIELDS_MAX)
    wrong(`${at}.fields`, `must have 1 to ${FIELDS_MAX} fields`);
  const isFlat = bag["as"] !== "json" && bag["as"] !== "xml";
  const names = new Set(fields.map(([path]) => path));
  for (const [path] of fields) {
    if (!PATH.test(path)) wrong(`${at}.fields`, "names are like session_id or payload.request");
    if (!path.includes(".")) continue;
    if (isFlat) wrong(`${at}.fields.${path}`, "only JSON and XML have fields inside of fields");
    const parents = path.split(".").map((_, end, parts) => parts.slice(0, end).join("."));
    if (parents.some((parent) => names.has(parent)))
      wrong(`${at}.fields.${path}`, "is inside of a field that has a value of its own");
  }
  return fields;
}

/** `shapes`: the members of each kind there is; with "?" one that may be left out. */
function checkObject(bag: Bag, at: string, shapes: readonly (readonly string[])[]): void {
  const names = Object.keys(bag);
  const fits = shapes.some((shape) => {
    const known = shape.map((name) => name.replace("?", ""));
    const wanted = shape.filter((name) => !name.endsWith("?"));
    return names.every((name) => known.includes(name)) && wanted.every((name) => name in bag);
  });
  if (!fits) wrong(at, `must have ${shapes.map((shape) => shape.join(", ")).join("; or ")}`);
  for (const name of names) {
    const value = bag[name];
    const isList = Array.isArray(value) && name !== "constant" && name !== "echo";
    const values: readonly unknown[] = isList ? (value as readonly unknown[]) : [value];
    if (values.length === 0 || !values.every(isScalar))
      wrong(`${at}.${name}`, "must be a text, a number, true or false");
  }
}

function isScalar(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bagOf(value: unknown, at: string): Bag {
  if (!isBag(value)) wrong(at, value === undefined ? "is missing" : "must be an object");
  return value;
}

function onlyKnown(bag: Bag, at: string, known: readonly string[]): void {
  for (const name of Object.keys(bag)) {
    if (!known.includes(name)) wrong(at, `${name} is unknown: there are ${known.join(", ")}`);
  }
}

function oneOf(value: unknown, at: string, known: readonly string[]): void {
  if (typeof value !== "string" || !known.includes(value))
    wrong(at, `must be one of ${known.join(", ")}`);
}

function wrong(at: string, rule: string): never {
  throw new Error(`declarative: ${at}: ${rule}`);
}
