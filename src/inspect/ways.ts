/**
 * Where a handler leads, read off its code without calling it: `go("name")` and its kin. What no
 * literal says is opaque, and can be declared as `targets`.
 */
import type { Way } from "../app/screens.ts";

export type Ways = {
  /** Screens by name; some may not exist. */
  readonly screens: readonly string[];
  readonly ends: boolean;
  /** Goes back or home. */
  readonly returns: boolean;
  /** Shows the same screen again. */
  readonly stays: boolean;
  /** The code does not say where it leads. */
  readonly isOpaque: boolean;
  /** A name in the definition, not a handler. */
  readonly isPlain: boolean;
};

const GO = /\b(?:go|replace)\(\s*(?:"([^"]+)"|'([^']+)'|`([^`$]+)`)?/g;
const CALLS = { ends: /\bend\(/, returns: /\b(?:back|home)\(/, stays: /\bstay\(/ } as const;

export function waysOf(way: Way | undefined, declared: readonly string[] | undefined): Ways {
  const nowhere = { ends: false, returns: false, stays: false };
  if (way === undefined)
    return { ...nowhere, screens: declared ?? [], isOpaque: false, isPlain: true };
  if (typeof way === "string")
    return { ...nowhere, screens: [way], isOpaque: false, isPlain: true };
  const code = Function.prototype.toString.call(way);
  const found = [...code.matchAll(GO)];
  const named = found.flatMap(([, a, b, c]) => a ?? b ?? c ?? []);
  const said = {
    ends: CALLS.ends.test(code),
    returns: CALLS.returns.test(code),
    stays: CALLS.stays.test(code),
  };
  const isComputed = found.length > named.length;
  const saysNothing = named.length === 0 && !said.ends && !said.returns && !said.stays;
  return {
    ...said,
    screens: [...new Set([...named, ...(declared ?? [])])],
    isOpaque: declared === undefined && (isComputed || saysNothing),
    isPlain: false,
  };
}
