/**
 * kill -9 in the middle of 200 sessions, twice: every session continues on the same database, the
 * same transaction_id is sent again, none is lost (RELIABILITY 2.3; fault matrix F57 to F59).
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { freePort, startGateway, type StartedGateway } from "./support/gateway.ts";
import { onlySessionOf, phoneOn, SCREENS, until } from "./support/operator.ts";
import { register, startApp, type App, type AppTurn, type Phone } from "./support/phones.ts";

const PROTOCOLS = ["ola", "africastalking", "ixo", "kairos"];
const SESSIONS = 200;
/** A lease outlives this by 2 s, and until then a killed turn is nobody's. */
const TURN_BUDGET_MS = 4_000;
/** Typed twice in a row too: that is not a retransmit, where the wire can tell. */
const INPUTS = ["1", "1", "2", "3", "3", "9"];
const KAIROS_INPUTS = ["1", "2", "3", "4", "5", "9"];
const TURNS = 1 + INPUTS.length;
const RESENDS_MAX = 300;
/** Where 200 play: a busy machine must not make turns late, which is another test's matter. */
const CROWD_BUDGET_MS = 8_000;
const configOf = (turnBudgetMs: number) => `export const config = { channels: {
  test: { protocol: "ola", options: { door: "true" }, turnBudgetMs: ${turnBudgetMs} },
  africastalking: { protocol: "africastalking", turnBudgetMs: ${turnBudgetMs} },
  ixo: { protocol: "ixo", turnBudgetMs: ${turnBudgetMs}, requestsPerMinuteMax: 0 },
  kairos: { protocol: "kairos", turnBudgetMs: ${turnBudgetMs} },
} };`;

/** One place with one gateway in it, killed and started again. */
type Site = {
  readonly url: string;
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
  readonly printed: () => string;
};

async function openSite(turnBudgetMs: number): Promise<Site> {
  const configFile = configOf(turnBudgetMs);
  const dataDir = await mkdtemp(join(tmpdir(), "dialyard-crash-"));
  const env = { PORT: String(await freePort()) };
  let printed = "";
  let gateway: StartedGateway = await startGateway({ dataDir, env, configFile });
  return {
    url: gateway.url,
    async kill() {
      gateway.kill("SIGKILL");
      assert.equal(await gateway.exited, "SIGKILL");
      printed += gateway.stdout();
    },
    async restart() {
      gateway = await startGateway({ dataDir, env, configFile });
    },
    async close() {
      assert.equal(await gateway.stop(), 0);
      await rm(dataDir, { recursive: true });
    },
    printed: () => printed + gateway.stdout(),
  };
}

/** What the backend was asked, in the order in which it was. */
type Call = { readonly transaction: string; readonly said: string; readonly sessionId: string };

/** A backend as the OLA API reference wants it: what a transaction_id did is done once. */
function createLedger(holdMs: (nth: number) => number) {
  const calls = new Map<string, Call[]>();
  const answers = new Map<string, string>();
  const effects = new Map<string, string[]>();
  let heard = 0;
  let held = 0;
  return {
    callsOf: (msisdn: string): readonly Call[] => calls.get(msisdn) ?? [],
    effectsOf: (msisdn: string): readonly string[] => effects.get(msisdn) ?? [],
    heard: () => heard,
    held: () => held,
    async answer(turn: AppTurn) {
      const { transaction } = turn as AppTurn & { readonly transaction: string };
      const { msisdn, sessionId, said } = turn;
      calls.set(msisdn, [...(calls.get(msisdn) ?? []), { transaction, said, sessionId }]);
      if (!answers.has(transaction)) {
        const done = [...(effects.get(msisdn) ?? []), said];
        effects.set(msisdn, done);
        answers.set(transaction, `done${done.join(">")}`);
      }
      heard += 1;
      held += 1;
      await wait(holdMs(heard));
      held -= 1;
      return { screen: answers.get(transaction) ?? "", end: said === "9" };
    },
  };
}

type Ledger = ReturnType<typeof createLedger>;

/** As an aggregator does: the last request again and again, until a screen comes. */
async function insist(phone: Phone, send: () => Promise<{ screen: string; isEnd: boolean }>) {
  let resend = send;
  for (let nth = 0; nth < RESENDS_MAX; nth++) {
    const seen = await resend().catch(() => undefined);
    if (seen !== undefined && seen.screen !== SCREENS.wait) return seen;
    await wait(100);
    resend = () => phone.again();
  }
  throw new Error("no answer, however often it was asked");
}

async function playThrough(
  phone: Phone,
  code: string,
  inputs: readonly string[],
  onTurn: () => void,
): Promise<void> {
  let expected = "done";
  const menu = await insist(phone, () => phone.dial(code));
  assert.deepEqual([menu.screen, menu.isEnd], [expected, false]);
  onTurn();
  for (const input of inputs) {
    expected += `>${input}`;
    const seen = await insist(phone, () => phone.type(input));
    assert.deepEqual([seen.screen, seen.isEnd], [expected, input === "9"]);
    onTurn();
  }
}

describe("kill -9", () => {
  const sites: Site[] = [];
  const apps: App[] = [];
  after(async () => {
    for (const site of sites) await site.close();
    for (const app of apps) await app.close();
  });

  async function open(
    answer: Parameters<typeof startApp>[1],
    body: Record<string, unknown>,
    turnBudgetMs = TURN_BUDGET_MS,
  ) {
    const site = await openSite(turnBudgetMs);
    sites.push(site);
    const app = await startApp("ola", answer);
    apps.push(app);
    await register(site.url, { callback_url: app.url, max_in_flight: 1_000, ...body });
    return { site, app };
  }
  /** Kills the gateway while this answer is with the backend, and starts it again. */
  async function typeAndKill(phone: Phone, input: string, site: Site, ledger: Ledger) {
    const lost = phone.type(input).catch(() => undefined);
    await until("the answer is being worked on", () => ledger.held() === 1);
    await site.kill();
    await lost;
    await site.restart();
  }

  describe("in the middle of 200 sessions, twice", () => {
    const subscribers = Array.from({ length: SESSIONS }, (_, index) => {
      const protocol = PROTOCOLS[index % PROTOCOLS.length] ?? "";
      const inputs = protocol === "kairos" ? KAIROS_INPUTS : INPUTS;
      return { protocol, inputs, msisdn: `2588400${10_000 + index}`, id: `crash-${index}` };
    });
    // Some 300 turns a second at most: a slow machine is not what is tested.
    const ledger = createLedger((nth) => 400 + ((nth * 37) % 400));
    const played: PromiseSettledResult<void>[] = [];
    let site: Site;
    let confirmed = 0;
    let isOver = false;
    const inFlightAtKill: number[] = [];

    before(async () => {
      site = (await open(ledger.answer, { service_code: "*720#", timeout: 6 }, CROWD_BUDGET_MS))
        .site;
      const playing = subscribers.map(async ({ protocol, inputs, msisdn, id }, index) => {
        await wait(index * 10);
        const phone = phoneOn(protocol, site.url, msisdn, id);
        await playThrough(phone, "*720#", inputs, () => (confirmed += 1));
      });
      const all = Promise.allSettled(playing).finally(() => (isOver = true));
      for (const share of [0.25, 0.6]) {
        await until(
          "some turns are done and many under way",
          () => isOver || (confirmed >= share * SESSIONS * TURNS && ledger.held() >= 20),
          60_000,
        );
        inFlightAtKill.push(ledger.held());
        await site.kill();
        await wait(300);
        await site.restart();
      }
      played.push(...(await all));
    });

    test("every session came to its end, each turn answered with its own screen", () => {
      const failures = played.flatMap((result, index) =>
        result.status === "rejected"
          ? [`${JSON.stringify(subscribers[index])}: ${String(result.reason)}`]
          : [],
      );
      assert.deepEqual(failures, []);
      assert.equal(played.length, SESSIONS);
      assert.equal(confirmed, SESSIONS * TURNS);
    });

    test("the kills came in the middle of turns, which were sent again", () => {
      assert.equal(inFlightAtKill.length, 2);
      const asked = subscribers.map(({ msisdn }) => ledger.callsOf(msisdn));
      const repeated = asked.flatMap((calls) =>
        calls.filter((call, index) => calls.findIndex(sameAs(call)) !== index),
      );
      assert.ok(repeated.length >= 20, `${repeated.length} calls came again`);
    });

    test("a transaction_id stands for one input of one session, sent once or again", () => {
      const meant = new Map<string, string>();
      for (const { msisdn } of subscribers) {
        for (const { transaction, said, sessionId } of ledger.callsOf(msisdn)) {
          const meaning = `${sessionId} ${said}`;
          assert.equal(meant.get(transaction) ?? meaning, meaning);
          meant.set(transaction, meaning);
        }
      }
      assert.equal(meant.size, SESSIONS * TURNS);
    });

    test("no session lost a turn, skipped one or began anew", () => {
      for (const { msisdn, inputs } of subscribers) {
        assert.deepEqual(ledger.effectsOf(msisdn), ["", ...inputs], msisdn);
        const calls = ledger.callsOf(msisdn);
        const [sessionId, ...others] = new Set(calls.map((call) => call.sessionId));
        assert.deepEqual(others, [], "one session_id from the first turn to the last");
        const transactions = [...new Set(calls.map(({ transaction }) => transaction))];
        const numbered = transactions.map((_, nth) => `txn_${sessionId?.slice(5)}_${nth + 1}`);
        assert.deepEqual(transactions, numbered, "numbers without a gap");
      }
    });

    test("accepted turns are recorded turns, with the ids that the backend saw", async () => {
      for (const { msisdn, inputs } of subscribers) {
        const { turns, outcome, records } = await onlySessionOf(site.url, msisdn);
        assert.deepEqual([turns, outcome], [TURNS, "completed"]);
        const answered = records.filter((record) => record.outcome !== "repeat");
        assert.deepEqual(
          answered.map((record) => [record.outcome, record.input]),
          ["*720#", ...inputs].map((input) => ["ok", input]),
        );
        const recorded = answered.flatMap(({ attempts }) => attempts.map((a) => a.transaction_id));
        const seen = new Set(ledger.callsOf(msisdn).map(({ transaction }) => transaction));
        assert.deepEqual(new Set(recorded), seen);
      }
    });

    test("nothing unexpected was reported", () => {
      assert.doesNotMatch(site.printed(), /unexpected_error|unhandled_rejection/);
    });
  });

  // After the crowd, which needs the machine for itself.
  describe("one subscriber at a time", { concurrency: true }, () => {
    test("a turn of a backend that must not be asked twice is not driven again", async () => {
      const ledger = createLedger(() => 2_500);
      const { site } = await open(ledger.answer, { service_code: "*721#", idempotent: false });
      const phones = PROTOCOLS.filter((protocol) => protocol !== "ola").map((protocol, index) => {
        const msisdn = `25884020000${index}`;
        return { msisdn, phone: phoneOn(protocol, site.url, msisdn, `strict-${index}`) };
      });
      await Promise.all(phones.map(({ phone }) => phone.dial("*721#")));
      const confirming = phones.map(({ phone }) => phone.type("1").catch(() => undefined));
      await until("all are being confirmed", () => ledger.held() === phones.length);
      await site.kill();
      await Promise.all(confirming);
      await site.restart();
      for (const { msisdn, phone } of phones) {
        const seen = await insist(phone, () => phone.again());
        assert.deepEqual(seen, { status: 200, isEnd: true, screen: SCREENS.maybeDone });
        assert.deepEqual(ledger.effectsOf(msisdn), ["", "1"]);
        assert.equal(ledger.callsOf(msisdn).length, 2);
        const { outcome, records } = await onlySessionOf(site.url, msisdn);
        assert.equal(outcome, "turn_unsettled");
        assert.deepEqual(
          records.map((record) => record.outcome),
          ["ok", "turn_unsettled"],
        );
      }
    });

    test("another input than the one in doubt takes another transaction_id", async () => {
      const ledger = createLedger(() => 300);
      const { site } = await open(ledger.answer, { service_code: "*722#" });
      const msisdn = "258840300000";
      const phone = phoneOn("kairos", site.url, msisdn, "other-1");
      await phone.dial("*722#");
      await typeAndKill(phone, "1", site, ledger);
      await wait(TURN_BUDGET_MS + 2_000);
      assert.equal((await phone.type("2")).screen, "done>1>2");
      const [, first, second] = ledger.callsOf(msisdn);
      assert.deepEqual([first?.said, second?.said], ["1", "2"]);
      assert.notEqual(first?.transaction, second?.transaction);
      const { records } = await onlySessionOf(site.url, msisdn);
      assert.deepEqual(
        records.map((record) => record.outcome),
        ["ok", "unknown", "ok"],
      );
    });

    test("the same digit twice in a row: the second, cut off, is no repeat of the first", async () => {
      const ledger = createLedger(() => 200);
      const { site } = await open(ledger.answer, { service_code: "*723#" });
      const msisdn = "258840300001";
      const phone = phoneOn("kairos", site.url, msisdn, "digit-1");
      await phone.dial("*723#");
      assert.equal((await phone.type("1")).screen, "done>1");
      await typeAndKill(phone, "1", site, ledger);
      assert.equal((await insist(phone, () => phone.again())).screen, "done>1>1");
      assert.deepEqual(ledger.effectsOf(msisdn), ["", "1", "1"]);
    });

    test("'nothing was charged' is not said of a turn that a crash cut off", async () => {
      const ledger = createLedger(() => 300);
      const { site, app } = await open(ledger.answer, { service_code: "*724#" });
      const phone = phoneOn("ixo", site.url, "258840300002", "down-1");
      await phone.dial("*724#");
      await typeAndKill(phone, "1", site, ledger);
      await app.close();
      const seen = await insist(phone, () => phone.again());
      assert.equal(seen.screen, SCREENS.maybeDone);
    });
  });
});

function sameAs({ transaction }: Call): (other: Call) => boolean {
  return (other) => other.transaction === transaction;
}
