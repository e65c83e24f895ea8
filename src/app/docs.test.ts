import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import ts from "typescript";
import * as app from "./index.ts";

const FILES = [
  "answers",
  "app",
  "deadline",
  "dialogue",
  "digest",
  "mount",
  "node",
  "pin-check",
  "pin-seal",
  "pin-store",
  "pins",
  "store",
  "text",
  "../testing/phone",
];

/** The comment in front of every exported function, by the function's name. */
function commentsByName(): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  for (const file of FILES) {
    const text = readFileSync(new URL(`./${file}.ts`, import.meta.url), "utf8");
    const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    tree.forEachChild((node) => {
      if (!ts.isFunctionDeclaration(node) || node.name === undefined) return;
      comments.set(node.name.text, text.slice(node.pos, node.getStart()));
    });
  }
  return comments;
}

test("everything that one can call has an example in its comment", () => {
  const comments = commentsByName();
  const names = Object.keys(app);
  assert.ok(names.length > 15, `${names.length} names are exported`);
  const without = [...names, "phone"].filter(
    (name) => comments.get(name)?.includes("@example") !== true,
  );
  assert.deepEqual(without, []);
});
