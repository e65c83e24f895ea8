/**
 * docs/protocols/: a page for each codec from its header, its facts, its options and its vectors,
 * and a table of all. Vectors are run while the pages are written, so that no page says more than
 * is so. Captures of others stand beside a checkout, not in it: without them no page is written.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { codecs } from "../src/codecs/index.ts";
import type { CodecEntry } from "../src/codecs/entry.ts";
import { septetsMax } from "../src/core/gsm7.ts";
import { checkCodec } from "../src/testing/codec.ts";
import {
  checkGolden,
  GOLDEN_ROLES,
  goldenOptions,
  goldenSkip,
  readGolden,
  type GoldenRole,
} from "../src/testing/golden.ts";
import { loadShelf, type Provider, type Shelf } from "../src/testing/shelf.ts";
import type { Codec } from "../src/types.ts";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const CAPTURES = `${HERE}../shared/vectors/`;
export const PAGES = `${HERE}docs/protocols/`;
const README = "README.md";
export const hasCaptures = existsSync(CAPTURES);

type Tally = { passed: number; run: number };
type Captured = Readonly<Record<GoldenRole, Tally>> & {
  readonly authorities: readonly string[];
  readonly differs: readonly (readonly [name: string, why: string])[];
};
type Row = {
  readonly entry: CodecEntry;
  readonly codec: Codec;
  readonly shelf: Shelf;
  readonly provider: Provider;
  readonly own: Tally;
  /** Undefined where there are no captures of it. */
  readonly captured: Captured | undefined;
};

/** Text of each page by its file's name, as prettier leaves it. */
export async function protocolPages(): Promise<ReadonlyMap<string, string>> {
  const rows: Row[] = [];
  for (const entry of codecs) rows.push(await rowOf(entry));
  const pages = new Map<string, string>();
  pages.set(README, await tidied(overview(rows)));
  for (const row of rows) pages.set(`${row.entry.name}.md`, await tidied(pageOf(row)));
  return pages;
}

const tidied = (text: string): Promise<string> =>
  format(text, { parser: "markdown", printWidth: 100 });

async function rowOf(entry: CodecEntry): Promise<Row> {
  const shelf = await loadShelf(entry.name);
  const { provider } = shelf;
  if (provider === undefined) throw new Error(`${entry.name}.vectors.ts names no provider`);
  const own = { passed: 0, run: shelf.vectors.length };
  for (const vector of shelf.vectors) {
    own.passed += passes(() => checkCodec(entry.create(vector.options ?? {}), vector));
  }
  const codec = entry.create({});
  return { entry, codec, shelf, provider, own, captured: capturesOf(entry, shelf) };
}

function capturesOf(entry: CodecEntry, { golden }: Shelf): Captured | undefined {
  const tally = {
    application: { passed: 0, run: 0 },
    network: { passed: 0, run: 0 },
  };
  const authorities = new Set<string>();
  const differs: (readonly [string, string])[] = [];
  for (const sheet of golden) {
    const file = `${CAPTURES}${sheet.file}.jsonl`;
    if (!existsSync(file)) continue;
    differs.push(...Object.entries(sheet.differs ?? {}));
    for (const vector of readGolden(readFileSync(file, "utf8"))) {
      const codec = entry.create(goldenOptions(sheet, vector));
      authorities.add(vector.authority);
      for (const role of GOLDEN_ROLES) {
        if (goldenSkip(codec, sheet, vector, role) !== undefined) continue;
        tally[role].run += 1;
        tally[role].passed += passes(() => checkGolden(codec, sheet, vector, role));
      }
    }
  }
  if (authorities.size === 0) return undefined;
  return { ...tally, authorities: [...authorities].sort(), differs };
}

function passes(check: () => void): 0 | 1 {
  try {
    check();
    return 1;
  } catch {
    return 0;
  }
}

const NONE = "none";
const shown = ({ passed, run }: Tally): string => (run === 0 ? NONE : `${passed} of ${run}`);

function overview(rows: readonly Row[]): string {
  const lines = rows.map(({ entry: { name }, codec, provider, own, captured }) => {
    const cells = [
      ...[`[\`${name}\`](${name}.md)`, provider.title, directionsOf(codec), shown(own)],
      ...GOLDEN_ROLES.map((role) => (captured === undefined ? NONE : shown(captured[role]))),
      captured?.authorities.join(", ") ?? NONE,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const head = ["Protocol", "Whose", "For", "Own vectors", "Captures, as application"];
  const whole = [...head, "Captures, as network", "Authority"];
  return `# Protocols

<!-- written by \`npm run docs\` -->

${rows.length} protocols, each a channel's, a backend's or both. What a provider has to be told is
on the protocol's page.

| ${whole.join(" | ")} |
| ${whole.map(() => "---").join(" | ")} |
${lines.join("\n")}

**Own vectors** are exchanges from a protocol's documents, in its \`.vectors.ts\`; each is run as
the application that a network calls and as the network that calls an application. **Captures** are
exchanges that others recorded or published, in a shape that belongs to no protocol; what they are
worth is their authority: \`official\` is the provider's own document, \`official-secondhand\`
that document as somebody else has it, \`test\` the tests of a product that speaks it, \`code\`
an application's code. Where Dialyard differs on purpose, the protocol's page says why.

\`dialyard check-codec NAME\` runs a protocol's vectors, and with \`--url\` asks an application
with them. A provider that is not here: [add a codec](../../CONTRIBUTING.md#add-a-codec).
`;
}

function directionsOf({ overLink }: Codec): string {
  return overLink ? "channels" : "channels, backends";
}

function pageOf(row: Row): string {
  const { entry, codec, shelf, provider } = row;
  const header = /\/\*\*\n([^]*?)\*\//.exec(readFileSync(codeOf(entry.name), "utf8"))?.[1] ?? "";
  const wire = header.replace(/^ \* ?/gm, "").trimEnd();
  const [sample] = shelf.vectors.filter((vector) => !("error" in vector));
  return `# ${provider.title}

<!-- written by \`npm run docs\` -->

Protocol \`${entry.name}\`, for ${directionsOf(codec).replace(",", " and")}.

\`\`\`text
${wire}
\`\`\`

## At the provider's

${addressOf(codec, entry.name, provider)}

${provider.setUp}

${applicationOf(codec, entry.name)}

## What it does

${factsOf(codec)
  .map((fact) => `- ${fact}`)
  .join("\n")}

${optionsOf(entry)}
## An exchange

${sample === undefined ? "" : `${sample.title[0]?.toUpperCase() ?? ""}${sample.title.slice(1)}.`}

\`\`\`http
${sample?.request.trim() ?? ""}
\`\`\`

\`\`\`http
${sample?.response?.trim() ?? ""}
\`\`\`

## Vectors

${vectorsOf(row)}
`;
}

const codeOf = (name: string): string =>
  fileURLToPath(new URL(`../src/codecs/${name}.ts`, import.meta.url));

function addressOf(codec: Codec, name: string, { options = {} }: Provider): string {
  if (codec.overLink) return "A channel of this protocol has no address: it keeps a link up.";
  const pairs = Object.entries(options).map(([option, value]) => `${option}: "${value}"`);
  const given = pairs.length === 0 ? [] : [`options: { ${pairs.join(", ")} }`];
  const push = codec.pushes ? ['pushUrl: "https://their-host/their-path"'] : [];
  const members = [`protocol: "${name}"`, ...given, ...push];
  const key = /^\w+$/.test(name) ? name : `"${name}"`;
  const lines = [`${key}: {`, ...members.map((member) => `  ${member},`), "},"];
  return `In \`dialyard.config.ts\`, among the [channels](../configuration.md#channels):

\`\`\`text
${members.length === 1 ? `${key}: { ${members[0]} },` : lines.join("\n")}
\`\`\`

Its address is \`https://YOUR-HOST/ussd/${name}/callback\`, or whatever the channel is called
in place of \`${name}\`. Until the channel has \`allow\` or \`secretPath\` (which is then the end of
the address), whoever asks is answered.`;
}

function applicationOf({ overLink, answersLater }: Codec, name: string): string {
  if (overLink) return "";
  return `## An application of this protocol

One that is written for it needs no change: it is registered with the protocol's name, and asked as
the network would ask.

\`\`\`sh
curl -X POST http://localhost:8080/backends -H 'content-type: application/json' -d '{
  "service_code": "*365#", "name": "My app", "callback_url": "https://app.example/ussd",
  "type": "http", "timeout": 5, "retries": 2, "method": "POST", "status": "active",
  "protocol": "${name}"${answersLater ? `,\n  "protocol_options": { ${CREDENTIALS} }` : ""}
}'
\`\`\`

${answersLater ? answersOf(name) : ""}`;
}

const CREDENTIALS = '"user": "my-app", "pass": "its password"';

/** Where an application calls that answers by a call of its own, and what holds then. */
function answersOf(name: string): string {
  return `It acknowledges a request at once and brings its screen by a call of its own. Where it has
the network's address for that, give it \`https://YOUR-HOST/backends/${name}/push\`: one address for
all that are registered with this protocol.

- Its calls have to carry the credentials of its registration; without them they are refused, and
  the turn waits on. A registration that names none takes the call of anybody who knows the
  dialogue's id, which has 128 random bits. These options, like \`headers\`, are shown to who may
  read registrations.
- \`timeout\` is from the request to the screen. What is not acknowledged is asked again, as of any
  backend; what is acknowledged is not, since a copy would look like the subscriber's next answer.
- The application hears when its screen went out to the network, which says nothing of the handset,
  when its time was over, and when the subscriber left.
- A call that nobody waits for, or not any more, is told so, and no other turn reads it. A copy of
  the screen before is told what the first was told. The wire names no turn, so a copy is known by
  its text: once our reply to the first was written whole and the next turn waits, the same text is
  taken for that turn's answer.
- Of several nodes, or workers of one (\`--workers\`), it may come to any: over PostgreSQL they ask
  each other whose turn waits, sealed, and for a second at most. Nodes without a \`DATABASE_URL\` in
  common know nothing of each other's turns. A node that stops waits 5 s for such answers.
`;
}

function factsOf(codec: Codec): readonly string[] {
  const { methods = ["POST"], screenOctetsMax, patienceMs, keyedById } = codec;
  const facts: (string | false)[] = [
    !codec.overLink && `The network asks by ${methods.join(" or ")}.`,
    codec.pushes !== undefined &&
      "A request is acknowledged at once; the screen is a call of ours to the channel's `pushUrl`.",
    codec.wantsHistory
      ? "Everything typed so far comes with each request."
      : "The latest answer comes with each request.",
    codec.carriesDialledDigits
      ? "Digits dialled after the code go to a backend with the dial."
      : "Digits dialled after the code are typed to a backend one after the other.",
    codec.namesNoSession === true &&
      "No id of a dialogue can be relied on: it is found by the subscriber's number.",
    keyedById === "answers" && "The number is named at the dial alone.",
    codec.notice !== undefined && "A backend is told when a subscriber left.",
    codec.reusesSessionIds === true &&
      "Its session ids come again: an app in a server of its own needs a gateway before it.",
    codec.initiate !== undefined && "`POST /api/v1/push` opens dialogues on it.",
    screenOctetsMax !== undefined &&
      `A screen has ${septetsMax(screenOctetsMax)} GSM-7 characters.`,
    codec.takesScreen !== undefined &&
      "A screen is counted as this network counts it, and one that is too long is shown in pages.",
    patienceMs !== undefined && `The network waits ${patienceMs / 1_000} s.`,
  ];
  return facts.filter((fact) => fact !== false);
}

function optionsOf({ options }: CodecEntry): string {
  const rows = Object.entries(options).map(([name, { default: fallback, help }]) => {
    const value = fallback === "" ? "" : `\`"${fallback}"\``;
    return `| \`${name}\` | ${value} | ${help.replaceAll("|", "\\|").replaceAll("*", "\\*")} |`;
  });
  if (rows.length === 0) return "";
  const head = "| Option | Default | What it is |\n| --- | --- | --- |";
  return `## Options\n\n${head}\n${rows.join("\n")}\n\n`;
}

function vectorsOf({ entry, own, captured }: Row): string {
  const { name } = entry;
  const lines = [
    `Own: ${shown(own)}, \`src/codecs/${name}.vectors.ts\`. \`dialyard check-codec ${name}\``,
    "runs them.",
  ];
  if (captured === undefined) return [...lines, "\n\nNobody's captures of it are known."].join(" ");
  const counts = GOLDEN_ROLES.map((role) => `${shown(captured[role])} as ${role}`).join(", ");
  lines.push(`\n\nCaptures: ${counts}; ${captured.authorities.join(", ")}.`);
  const differs = captured.differs.map(([name, why]) => `- ${name}: ${why}`);
  if (differs.length > 0) lines.push(`\n\nWhere Dialyard differs:\n\n${differs.join("\n")}`);
  return lines.join(" ");
}
