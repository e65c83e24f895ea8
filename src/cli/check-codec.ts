/** `dialyard check-codec`: a protocol's vectors, against our codec or an application of yours. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { codecNames, createCodec } from "../codecs/index.ts";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { checkCodec } from "../testing/codec.ts";
import {
  checkGolden,
  GOLDEN_ROLES,
  goldenOptions,
  goldenSkip,
  readGolden,
} from "../testing/golden.ts";
import { parseRequest } from "../testing/http.ts";
import { loadShelf, type Shelf } from "../testing/shelf.ts";
import type { Codec, Turn, WireReply, WireRequest } from "../types.ts";
import { defineCommand } from "./args.ts";

export const checkCodecCommand = defineCommand({
  name: "dialyard check-codec",
  summary: "Runs a protocol's vectors. Status 1 when one of them fails.",
  positionals: [
    { name: "protocol", help: codecNames.join(", ") },
    { name: "file", help: "captures as JSON lines, instead of the protocol's own vectors" },
  ],
  options: [
    {
      name: "url",
      type: "string",
      value: "URL",
      help: "an application of this protocol: asked with each request, its answers are read",
    },
    { name: "json", type: "boolean", help: "one JSON document on stdout" },
  ],
});

export type Checked = {
  readonly title: string;
  /** Undefined where it passed. */
  readonly problem: string | undefined;
  /** Why it could not be run. */
  readonly skipped?: string;
};
type Options = { readonly url: string | undefined; readonly json: boolean };
type Io = { readonly out: (text: string) => void; readonly err: (text: string) => void };

export async function runCheckCodec(
  [name = "", file]: readonly string[],
  { url, json }: Options,
  io: Io,
): Promise<0 | 1 | 2> {
  if (!codecNames.includes(name)) {
    io.err(`dialyard check-codec: no protocol "${name}": there are ${codecNames.join(", ")}`);
    return 2;
  }
  if (url !== undefined && !URL.canParse(url)) {
    io.err("dialyard check-codec: --url is no URL");
    return 2;
  }
  const shelf = await loadShelf(name);
  const lines = file === undefined ? undefined : await readFile(file, "utf8").catch(() => null);
  if (lines === null) {
    io.err(`dialyard check-codec: ${file} cannot be read`);
    return 2;
  }
  const checked =
    url !== undefined
      ? await askAll(name, shelf, url)
      : lines === undefined
        ? checkOwn(name, shelf)
        : checkFile(name, shelf, basename(file ?? "", ".jsonl"), lines);
  const failed = checked.filter(({ problem }) => problem !== undefined).length;
  if (json) io.out(JSON.stringify({ protocol: name, failed, checked }, undefined, 2));
  else io.out(report(name, checked));
  return failed === 0 ? 0 : 1;
}

function checkOwn(name: string, { vectors }: Shelf): readonly Checked[] {
  return vectors.map((vector) =>
    attempt(vector.title, () => checkCodec(createCodec(name, vector.options), vector)),
  );
}

function checkFile(
  name: string,
  { golden }: Shelf,
  file: string,
  lines: string,
): readonly Checked[] {
  // Captures of a preset are run with its options.
  const sheet = golden.find((known) => known.file === file) ?? golden[0] ?? { file: name };
  return readGolden(lines).flatMap((vector) => {
    const codec = createCodec(name, goldenOptions(sheet, vector));
    return GOLDEN_ROLES.map((role): Checked => {
      const title = `${vector.name}, as ${role}`;
      const skipped = goldenSkip(codec, sheet, vector, role);
      if (skipped !== undefined) return { title, problem: undefined, skipped };
      return attempt(title, () => checkGolden(codec, sheet, vector, role));
    });
  });
}

function attempt(title: string, run: () => void): Checked {
  try {
    run();
    return { title, problem: undefined };
  } catch (error) {
    return { title, problem: error instanceof Error ? error.message : String(error) };
  }
}

const ANSWER_MS_MAX = 15_000;

/** One request after another, as their network would: an application keeps state. */
async function askAll(name: string, { vectors }: Shelf, url: string): Promise<readonly Checked[]> {
  const checked: Checked[] = [];
  for (const vector of vectors) {
    if ("error" in vector || vector.reply === undefined) continue;
    const codec = createCodec(name, vector.options);
    const request = parseRequest(vector.request);
    const { sessionId = "s", msisdn = "258823456789" } = vector.inbound;
    const turn: Turn = {
      ...{ sessionId, transactionId: vector.inbound.messageId ?? sessionId, number: 1 },
      msisdn: parseMsisdn(msisdn),
      serviceCode: asServiceCode(vector.inbound.dialled ?? "*100#") ?? asServiceCode("*100#")!,
      ...{ provider: "test", input: "", inputs: [], dialledDigits: [] },
    };
    const problem = await ask(url, request).then(
      (reply) => attempt("", () => checkReply(codec, reply, turn)).problem,
      (error: unknown) => `no answer: ${String(error)}`,
    );
    checked.push({ title: vector.title, problem });
  }
  return checked;
}

/** A screen that is a call of its own comes to nobody here: the acknowledgement is what there is. */
function checkReply(codec: Codec, reply: WireReply, turn: Turn): void {
  const { answersLater } = codec;
  if (answersLater === undefined) return void codec.reply(reply, turn);
  if (answersLater.heard(reply) !== "taken") throw new Error("the request is not acknowledged");
}

async function ask(url: string, { method, path, query, headers, body }: WireRequest) {
  const target = new URL(url);
  target.pathname += path;
  target.search = query === "" ? target.search : query;
  const response = await fetch(target, {
    method,
    headers: headers as Record<string, string>,
    ...(body !== "" && { body }),
    redirect: "manual",
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const text = await response.text();
  return { status: response.status, headers: Object.fromEntries(response.headers), body: text };
}

function report(name: string, checked: readonly Checked[]): string {
  const lines = checked.map(({ title, problem, skipped }) => {
    if (skipped !== undefined) return `- ${title} (${skipped})`;
    return problem === undefined
      ? `✔ ${title}`
      : `✖ ${title}\n    ${problem.replaceAll("\n", "\n    ")}`;
  });
  const failed = checked.filter(({ problem }) => problem !== undefined).length;
  const skipped = checked.filter((one) => one.skipped !== undefined).length;
  const passed = checked.length - failed - skipped;
  return [...lines, `${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`].join("\n");
}
