/**
 * Every door that speaks XML, and what should not get through one: each is refused in the
 * protocol's own words or before its body is read, at once, and the memory stays as it was.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { codecs, describeWire } from "../src/codecs/index.ts";
import { asServiceCode, parseMsisdn } from "../src/core/address.ts";
import type { Backend, Codec, Turn, WireReply } from "../src/types.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";

const CODE = "*365#";
/** A wire of one's own may be XML, too. */
const described = describeWire({
  request: {
    ...{ as: "xml", root: "ussd", firstInput: "dialString" },
    fields: {
      ...{ msisdn: "msisdn", sessionid: "sessionId", msg: "input" },
      type: { begin: "1", continue: "2", end: "3" },
    },
  },
  reply: {
    ...{ as: "xml", root: "ussd", refusesInKind: true },
    fields: { type: { continue: "2", end: "3" }, msg: "screen" },
  },
});
/** The dial of each protocol, as its codec makes it; those whose dial is XML have XML doors. */
const doors = codecs.flatMap((entry) => {
  const options = entry.name === "declarative" ? described : {};
  const code = "service_code" in entry.options ? { service_code: CODE } : {};
  const codec = entry.create({ ...options, ...code });
  if (codec.overLink) return [];
  const { headers, body } = codec.request(dialTurn(), { method: "POST", headers: {} } as Backend);
  const type = headers["content-type"] ?? "";
  return /xml/.test(type) ? [{ name: entry.name, codec, options, body, type }] : [];
});

const TEN_MB = 10 * 1024 * 1024;
const GROWTH_MB_MAX = 48;
const TIMES = 40;
const ROOT = /^(\s*(?:<\?xml[^>]*\?>)?\s*)<([\w:]+)/;

/** What is done to a good request. Every one of them must be refused. */
const hostile: Readonly<Record<string, (body: string) => string>> = {
  "cut off in the middle": (body) => body.slice(0, body.length / 2),
  "ended by another's tag": (body) => body.replace(/<\/([\w:]+)>\s*$/, "</other>"),
  "a second root": (body) => `${body}<again/>`,
  "a DTD": (body) => body.replace(ROOT, "$1<!DOCTYPE $2><$2"),
  "an entity from a file": (body) =>
    withEntity(body, '<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
  "an entity from the network": (body) =>
    withEntity(body, '<!ENTITY x SYSTEM "http://127.0.0.1:1/x">', "&x;"),
  "a bomb of entities": (body) => withEntity(body, bomb(), "&j;"),
  "an entity that nobody declared": (body) => body.replace(/258841234567/, "&msisdn;"),
  "a hundred elements deep": (body) => inRoot(body, "<a>".repeat(100) + "</a>".repeat(100)),
  "five hundred elements": (body) => inRoot(body, "<a/>".repeat(500)),
  "another root in another namespace": (body) =>
    `<evil xmlns="urn:evil">${body.replace(/<\?xml[^>]*\?>/, "")}</evil>`,
  "an attribute twice": (body) => body.replace(ROOT, '$1<$2 a="1" a="2"'),
  "a control character": (body) => inRoot(body, "\u0001"),
  "nothing at all": () => "",
  JSON: () => JSON.stringify({ msisdn: "258841234567", sessionid: "1", type: "1", msg: CODE }),
};

function bomb(): string {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
  return names
    .map(
      (name, nth) => `<!ENTITY ${name} "${nth === 0 ? "ha" : `&${names[nth - 1]};`.repeat(10)}">`,
    )
    .join("");
}
function withEntity(body: string, declared: string, used: string): string {
  const [, before = "", root = ""] = ROOT.exec(body) ?? [];
  const rest = body.slice(before.length).replace(/258841234567/, used);
  return `${before}<!DOCTYPE ${root} [${declared}]>${rest}`;
}
const inRoot = (body: string, what: string): string =>
  body.replace(/<\/[\w:]+>\s*$/, (end) => `${what}${end}`);

function dialTurn(): Turn {
  return {
    ...{ sessionId: `sess_${"1".padStart(32, "0")}`, transactionId: "txn_1", number: 1 },
    ...{ msisdn: parseMsisdn("258841234567"), serviceCode: asServiceCode(CODE)! },
    ...{ provider: "movitel", input: "", inputs: [], dialledDigits: [] },
  };
}

describe("XML doors", () => {
  let gateway: StartedGateway;
  before(async () => {
    const rows = doors.map(({ name, codec, options }) => {
      const push = codec.pushes === undefined ? "" : `, pushUrl: "http://127.0.0.1:9/"`;
      const more = `options: ${JSON.stringify(options)}, paths: ["/in/${name}"]${push}`;
      return `"${name}": { protocol: "${name}", ${more} }`;
    });
    const configFile = `export const config = { channels: { ${rows.join(", ")} } };`;
    gateway = await startGateway({ configFile });
  });
  after(() => gateway.stop());

  const post = (name: string, type: string, body: string | Buffer): Promise<WireReply> =>
    new Promise((done, fail) => {
      const asked = request(
        `${gateway.url}/in/${name}`,
        { method: "POST", headers: { "content-type": type } },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.on("end", () => {
            asked.destroy();
            done({ status: response.statusCode ?? 0, headers: {}, body: text });
          });
        },
      );
      // The gateway hung up on a body that it will not read, and we were still writing.
      asked.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE" && error.code !== "ECONNRESET") return fail(error);
        done({ status: 413, headers: {}, body: "" });
      });
      asked.end(body);
    });

  test("there are some", (t) => {
    t.diagnostic(doors.map(({ name }) => name).join(", "));
    assert.ok(doors.length > 0);
  });

  for (const { name, codec, body, type } of doors) {
    test(`${name}: a good request is answered`, async () => {
      assert.equal((await post(name, type, body)).status, 200);
    });

    for (const [what, change] of Object.entries(hostile)) {
      test(`${name}: ${what}`, async () => {
        const bad = change(body);
        assert.notEqual(bad, body);
        const reply = await post(name, type, bad);
        assert.deepEqual([reply.status, reply.body], refusalOf(codec));
        assert.doesNotMatch(reply.body, /root:|258841234567/);
      });
    }

    test(`${name}: 10 MB are not read`, async () => {
      const { status } = await post(name, type, Buffer.alloc(TEN_MB, "<a>"));
      assert.equal(status, 413);
    });

    test(`${name}: all of it again and again, and the memory stays flat`, async (t) => {
      const round = async () => {
        for (const change of Object.values(hostile)) await post(name, type, change(body));
        await post(name, type, Buffer.alloc(TEN_MB, "<a>"));
      };
      for (let times = 0; times < 5; times += 1) await round();
      const beforeMb = residentMb(gateway.pid);
      for (let times = 0; times < TIMES; times += 1) await round();
      const growthMb = residentMb(gateway.pid) - beforeMb;
      t.diagnostic(`${TIMES} rounds: ${growthMb.toFixed(1)} MB more`);
      assert.ok(growthMb < GROWTH_MB_MAX, `${growthMb} MB`);
      assert.equal((await post(name, type, body)).status, 200);
    });
  }
});

/** What the protocol says to a request that is none. */
function refusalOf(codec: Codec): readonly [number, string] {
  try {
    codec.decode({
      ...{
        method: "POST",
        path: "",
        query: "",
        headers: { "content-type": "text/xml" },
        body: "<",
      },
    });
  } catch (error) {
    const reply = codec.refuse?.(error as never);
    if (reply !== undefined) return [reply.status, reply.body];
  }
  return assert.fail(`${codec.name} has no refusal of its own`);
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
