import { promises as dns } from "node:dns";

export type Address = { readonly address: string; readonly family: number };
export type Lookup = (name: string) => Promise<readonly Address[]>;

const ANSWER_MS_MAX = 5_000;
const NAMES_MAX = 1_024;

type Asked = { readonly answer: Promise<readonly Address[]>; goodUntilMs: number };

/**
 * getaddrinfo holds one of libuv's four threads while it waits (F03). So a name is asked for once
 * however many connections wait for it, a good answer serves for some seconds, a bad one for none.
 */
export function sharedLookup(
  ask: Lookup = (name) => dns.lookup(name, { all: true }),
  nowMs: () => number = () => performance.now(),
): Lookup {
  const asked = new Map<string, Asked>();
  return (name) => {
    const known = asked.get(name);
    if (known !== undefined && nowMs() < known.goodUntilMs) return known.answer;
    if (asked.size >= NAMES_MAX) asked.clear();
    const entry: Asked = { answer: ask(name), goodUntilMs: Infinity };
    asked.set(name, entry);
    entry.answer.then(
      () => (entry.goodUntilMs = nowMs() + ANSWER_MS_MAX),
      () => (entry.goodUntilMs = -Infinity),
    );
    return entry.answer;
  };
}
