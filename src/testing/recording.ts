/** What was said on a test phone: as a conversation for who reads a failure, and as a test. */

export type Said = {
  /** "*365#", what was typed, or nothing where the network hung up. */
  readonly input: string;
  readonly kind: "dial" | "send" | "drop";
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
    test: (title: string) => testOf(title, said),
  };
}

/** For people: what was typed, and the screens under it. */
function conversationOf(said: readonly Said[]): string {
  return said
    .map(({ kind, input, isSecret, screen, isEnd }) => {
      const typed = kind === "drop" ? "(hung up)" : isSecret ? "****" : input;
      const lines = screen.split("\n").map((line) => `  | ${line}`);
      return (
        [`${kind === "dial" ? "dials" : "types"} ${typed}`, ...lines].join("\n") +
        (isEnd ? "  (end)" : "")
      );
    })
    .join("\n");
}

/** A node:test test that says the same and expects the same; secrets have to be filled in. */
function testOf(title: string, said: readonly Said[]): string {
  const steps = said.map(({ kind, input, isSecret, screen, isEnd }) => {
    if (kind === "drop") return "  await p.drop();";
    const typed = isSecret ? "SECRET" : JSON.stringify(input);
    const expects = isEnd ? "expectEnd" : "expectText";
    return `  (await p.${kind}(${typed})).${expects}(${JSON.stringify(screen)});`;
  });
  const secret = said.some(({ isSecret }) => isSecret)
    ? [
        "/** Typed at a secret, and not recorded: one that the test's accounts have. */",
        'const SECRET = "";',
        "",
      ]
    : [];
  return [
    'import { test } from "node:test";',
    'import { phone } from "dialyard/testing";',
    'import { app } from "./app.ts";',
    "",
    ...secret,
    `test(${JSON.stringify(title)}, async () => {`,
    "  const p = phone(app, {});",
    ...steps,
    "});",
    "",
  ].join("\n");
}

/** Runs a check; where it fails, the conversation so far is part of what is said. */
export function withConversation(conversation: () => string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nThe conversation so far:\n${conversation()}`;
    throw error;
  }
}
