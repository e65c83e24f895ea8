/** What both sides of a described wire ask of its description. */
import type { Description, Flag } from "./wire-description.ts";
import type { Scalar } from "./wire-forms.ts";

export type Found<T> = { readonly path: string; readonly says: T };

/** Only JSON tells a number from the text of it. */
export function spellerOf(as: string): (value: Scalar) => Scalar {
  return as === "json" ? (value) => value : String;
}

/** The first path that says so. */
export function pathsOf(fields: Readonly<Record<string, unknown>>) {
  const paths = new Map<unknown, string>();
  for (const [path, says] of Object.entries(fields)) if (!paths.has(says)) paths.set(says, path);
  return (says: string): string | undefined => paths.get(says);
}

export function phaseFieldOf({ request }: Description) {
  for (const [path, says] of Object.entries(request.fields)) {
    if (typeof says === "object" && "begin" in says) return { path, says };
  }
  return undefined;
}

export function flagOf(entries: readonly (readonly [string, unknown])[]): Found<Flag> | undefined {
  for (const [path, says] of entries) {
    if (typeof says === "object" && says !== null && "end" in says)
      return { path, says: says as Flag };
  }
  return undefined;
}

export function spellings(value: Scalar | readonly Scalar[] | undefined): readonly Scalar[] {
  if (value === undefined) return [];
  return typeof value === "object" ? value : [value];
}

export function first(value: Scalar | readonly Scalar[]): Scalar {
  return spellings(value)[0] ?? "";
}

/** Ids that go back as they came: a number as the text of it. */
export function inText(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

export function inNewlines(screen: string, newline: string): string {
  return newline === "\n" ? screen : screen.replaceAll("\n", newline);
}

export function outOfNewlines(screen: string, newline: string): string {
  return newline === "\n" ? screen : screen.replaceAll(newline, "\n");
}

export function timeOf(says: "isoTime" | "unixTime", nowMs: number): string {
  if (says === "unixTime") return String(Math.floor(nowMs / 1_000));
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}
