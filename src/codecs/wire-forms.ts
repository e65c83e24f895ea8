/** The bodies that a described wire is made of: named values in, named values out. */
import { WireError } from "../core/failure.ts";
import type { WireReply, WireRequest } from "../types.ts";
import {
  askInForm,
  type JsonFields,
  readForm,
  readJson,
  readQuery,
  requirePlain,
} from "./fields.ts";
import { childOf, escapeXml, readXml, textIn, XML_UTF8_HEADERS, type XmlElement } from "./xml.ts";

export type Scalar = string | number | boolean;
export type Named = readonly (readonly [path: string, value: Scalar])[];
/** The value at a path; undefined where there is none. */
export type Read = (path: string) => unknown;
type Message = Pick<WireReply, "headers" | "body">;

export const TEXT_HEADERS = { "content-type": "text/plain; charset=utf-8" };
const JSON_HEADERS = { "content-type": "application/json" };

export type Form = {
  read(message: Message | WireRequest, code: "bad_body" | "bad_reply"): Read;
  write(values: Named): Message;
};
export type Shape = { readonly root: string; readonly names: readonly string[] };

/** `as` is one of a description's; `names` the order of a wire without names. */
export function formOf(as: string, shape: Shape): Form {
  switch (as) {
    case "json":
      return JSON_FORM;
    case "xml":
      return xmlForm(shape.root);
    case "pipes":
      return pipesForm(shape.names);
    default:
      return FORM;
  }
}

/** By GET, the same names are a query. */
export function readAsQuery(request: WireRequest): Read {
  return getter(readQuery(request));
}

const getter =
  (fields: ReadonlyMap<string, string>): Read =>
  (path) =>
    fields.get(path);

const FORM: Form = {
  read: (message) => getter(readForm(message)),
  write: (values) => askInForm(Object.fromEntries(values), "POST"),
};

const JSON_FORM: Form = {
  read(message, code) {
    const body = readJson(message, code);
    return (path) => (path.includes(".") ? deepIn(body, path) : ownOf(body, path));
  },
  write: (values) => ({ headers: JSON_HEADERS, body: JSON.stringify(nested(values)) }),
};

function ownOf(fields: JsonFields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function deepIn(body: JsonFields, path: string): unknown {
  let value: unknown = body;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = ownOf(value as JsonFields, name);
  }
  return value;
}

type Tree = { [name: string]: Scalar | Tree };

/** A description has no field both with a value and with fields inside, so a step is a tree. */
export function nested(values: Named): Tree {
  const tree: Tree = {};
  for (const [path, value] of values) {
    const names = path.split(".");
    const last = names.pop() ?? path;
    let at = tree;
    for (const name of names) at = (at[name] ??= {}) as Tree;
    at[last] = value;
  }
  return tree;
}

function xmlForm(root: string): Form {
  return {
    read(message, code) {
      const element = readXml(message, code);
      if (element.name !== root) throw new WireError(code, `the root must be ${root}`);
      return (path) => textAt(element, path, code);
    },
    write: (values) => ({
      headers: XML_UTF8_HEADERS,
      body: elementOf(root, nested(values)),
    }),
  };
}

function textAt(element: XmlElement, path: string, code: "bad_body" | "bad_reply") {
  const names = path.split(".");
  const last = names.pop() ?? path;
  let at: XmlElement | undefined = element;
  for (const name of names) at = at && childOf(at, name);
  return at && textIn(at, last, code);
}

function elementOf(name: string, value: Scalar | Tree): string {
  const inner =
    typeof value === "object"
      ? Object.entries(value).map(([child, below]) => elementOf(child, below))
      : [escapeXml(String(value))];
  return `<${name}>${inner.join("")}</${name}>`;
}

/** The wire frames with "|", so a value has "/" for it. */
function pipesForm(names: readonly string[]): Form {
  return {
    read({ headers, body }, code) {
      requirePlain(headers, code);
      const values = body.split("|");
      if (values.length !== names.length)
        throw new WireError(code, `body must have ${names.length} fields`);
      return (path) => values[names.indexOf(path)];
    },
    write: (values) => ({
      headers: TEXT_HEADERS,
      body: values.map(([, value]) => String(value).replaceAll("|", "/")).join("|"),
    }),
  };
}
