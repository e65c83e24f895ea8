/**
 * The golden exchanges and hostile inputs of the shared reference shelf, which stands beside a
 * checkout while Dialyard is being built and is not part of it.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { WireError } from "../core/failure.ts";
import {
  checkGolden,
  GOLDEN_ROLES,
  goldenOptions,
  goldenSkip,
  type GoldenVector,
} from "../testing/golden.ts";
import { loadShelf } from "../testing/shelf.ts";
import type { Codec } from "../types.ts";
import { codecNames, createCodec } from "./index.ts";

const SHARED = join(import.meta.dirname, "../../../shared");
const skip = existsSync(SHARED) ? false : "no shared reference shelf beside this checkout";

/** Files that no codec reads yet, and why. */
const NO_CODEC: Readonly<Record<string, string>> = {
  "flashmedia-tms3": "the format of its reply is not known (PROTOCOLS 14.13)",
  "gsm7-ussd": "the text layer's: core/gsm7.test.ts",
  integrat: "asynchronous in both directions: no codec yet",
  "mtn-nigeria-tcp": "frames on TCP: no codec yet",
  "mtn-rwanda": "XML-RPC: no codec yet",
  ssmi: "lines on TCP: no codec yet",
  trueafrican: "XML-RPC: no codec yet",
  "ussi-sip": "SIP: no codec yet",
};

const shelves = await Promise.all(
  codecNames.map(async (name) => ({ name, sheets: (await loadShelf(name)).golden })),
);
for (const { name, sheets } of shelves) {
  for (const sheet of sheets) {
    const lines = skip === false ? readLines<GoldenVector>(`vectors/${sheet.file}.jsonl`) : [];
    describe(`${sheet.file}, golden vectors, by ${name}`, { skip }, () => {
      for (const vector of lines) {
        const codec = createCodec(name, goldenOptions(sheet, vector));
        for (const role of GOLDEN_ROLES) {
          const reason = goldenSkip(codec, sheet, vector, role) ?? false;
          test(`${vector.name}, as ${role} [${vector.authority}]`, { skip: reason }, () => {
            checkGolden(codec, sheet, vector, role);
          });
        }
      }
    });
  }
}
test("every file of golden vectors has a codec, or a reason why not", { skip }, () => {
  const run = new Set(shelves.flatMap(({ sheets }) => sheets.map(({ file }) => file)));
  const files = readdirSync(join(SHARED, "vectors"))
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => file.replace(".jsonl", ""));
  for (const file of files) {
    assert.ok(run.has(file) || file in NO_CODEC, `no codec reads ${file}.jsonl`);
    assert.ok(!run.has(file) || !(file in NO_CODEC), `${file} is read: take it off the list`);
  }
});

type Hostile = {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly body_repeat?: {
    readonly head: string;
    readonly unit: string;
    readonly times: number;
    readonly tail: string;
  };
  readonly expect_status: number;
  readonly needs_backend?: true;
  readonly why: string;
};
const DOORS: Readonly<Record<string, Codec>> = {
  test: createCodec("ola", { door: "true" }),
  at: createCodec("africastalking"),
  ixo: createCodec("ixo"),
  kairos: createCodec("kairos"),
};

describe("hostile inputs that need no session are refused by the codec", { skip }, () => {
  for (const hostile of skip === false ? readLines<Hostile>("bad-inputs.jsonl") : []) {
    const codec = DOORS[hostile.name.split(".")[0] ?? ""];
    const body = bodyOf(hostile);
    // 413 is for the door to say, and what needs a backend may be taken or refused.
    if (codec === undefined || body === undefined) continue;
    if (hostile.expect_status !== 400 || hostile.needs_backend === true) continue;
    test(`${hostile.name}: ${hostile.why}`, () => {
      const { headers } = hostile;
      const request = { method: "POST", path: "", query: "", headers, body };
      assert.throws(() => codec.decode(request), WireError);
    });
  }
});

function bodyOf({ body, body_repeat: repeat }: Hostile): string | undefined {
  if (repeat !== undefined) return repeat.head + repeat.unit.repeat(repeat.times) + repeat.tail;
  return body?.replaceAll("{{RUN}}", "run1");
}

function readLines<T>(path: string): readonly T[] {
  const file = join(SHARED, path);
  // A codec without golden vectors has its own alone.
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as T);
}
