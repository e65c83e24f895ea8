/** What was said on a test phone: as a conversation for who reads a failure, and as a test. */

export type Said = {
  /** "*365#", what was typed, the screen begun at, or nothing where the network hung up. */
  readonly input: string;
  readonly kind: "dial" | "at" | "send" | "sendTwice" | "drop";
  /** Params of the screen begun at. */
  readonly params?: unknown;
  /** Typed at a secret: it is nowhere printed. */
  readonly isSecret: boolean;
  readonly screen: string;
  readonly isEnd: boolean;
};

const SAID_MAX = 500;

export function createRecording() {
  const said: Said[] = [];
  return {
    note(one: Said): void {
      if (said.length < SAID_MAX) said.push(one);
    },
    conversation: () => conversationOf(said),
    test: (title: string, msisdn: string | undefined) => testOf(title, said, msisdn),
  };
}

/** For people: what was typed, and the screens under it. */
function conversationOf(said: readonly Said[]): string {
  return said
    .map(({ kind, input, isSecret, screen, isEnd }) => {
      const typed = kind === "drop" ? "(hung up)" : isSecret ? "****" : input;
      const lines = screen.split("\n").map((line) => `  | ${line}`);
      return [`${VERBS[kind]} ${typed}`, ...lines].join("\n") + (isEnd ? "  (end)" : "");
    })
    .join("\n");
}

const VERBS = {
  dial: "dials",
  at: "begins at",
  send: "types",
  sendTwice: "types, and the network sends it twice,",
  drop: "types",
} as const;

/** A node:test test that says the same and expects the same; secrets have to be filled in. */
function testOf(title: string, said: readonly Said[], msisdn: string | undefined): string {
  let secrets = 0;
  const steps = said.map(({ kind, input, params, isSecret, screen, isEnd }) => {
    if (kind === "drop") return "  await p.drop();";
    const typed = isSecret ? `SECRETS[${secrets++}]` : JSON.stringify(input);
    if (kind === "sendTwice") {
      const both = JSON.stringify([screen, screen]);
      return `  assert.deepEqual(await p.sendTwice(${typed}), ${both});`;
    }
    const given = kind === "at" ? `${typed}, ${JSON.stringify(params)}` : typed;
    const expects = isEnd ? "expectEnd" : "expectText";
    return `  (await p.${kind}(${given})).${expects}(${JSON.stringify(screen)});`;
  });
  if (said.length === SAID_MAX)
    steps.push(`  // The recording ends here, after ${SAID_MAX} turns.`);
  const asserts = said.some(({ kind }) => kind === "sendTwice");
  const options = msisdn === undefined ? "{}" : `{ msisdn: ${JSON.stringify(msisdn)} }`;
  return [
    ...(asserts ? ['import assert from "node:assert/strict";'] : []),
    'import { test } from "node:test";',
    'import { phone } from "dialyard/testing";',
    'import { app } from "./app.ts";',
    "",
    ...(secrets > 0 ? secretLines(secrets) : []),
    `test(${JSON.stringify(title)}, async () => {`,
    `  const p = phone(app, ${options});`,
    ...steps,
    "});",
    "",
  ].join("\n");
}

function secretLines(count: number): readonly string[] {
  const blanks = Array.from({ length: count }, () => '""').join(", ");
  return [
    "/** Typed at secrets, in turn, and not recorded: ones that the test's accounts have. */",
    `const SECRETS = [${blanks}] as const;`,
    "",
  ];
}

/** Runs a check; where it fails, the conversation so far is part of what is said. */
export function withConversation<T>(conversation: () => string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nThe conversation so far:\n${conversation()}`;
    throw error;
  }
}
