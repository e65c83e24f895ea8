/**
 * Two hundred subscribers at once on one bind to somebody else's SMSC (the `smpp` package), which
 * throttles, and whose connection breaks in the middle: each dialogue goes on in its order, the
 * application hears each answer once, and each answer gets one screen.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { register, startApp, type App } from "./support/phones.ts";
import { listen, type PackagePdu, type PackageSession } from "./support/smpp-package.ts";
import { smppPackage, textOf } from "./support/smpp-package.ts";

const CODE = "*365#";
const SUBSCRIBERS = 200;
const ANSWERS = ["1", "2", "3", "9"];
const TURNS = ANSWERS.length + 1;
const BEGIN = 1;
const ANSWER = 18;
const LAST = 17;
const THROTTLED = 0x58;
/** One submit in so many is refused as too many. */
const THROTTLED_EVERY = 5;
/** So long a subscriber looks at nothing before he types it again. */
const PATIENCE_MS = 8_000;

type Phone = {
  readonly msisdn: string;
  readonly its: Buffer;
  /** Every screen that the SMSC took for it, in order. */
  readonly screens: PackagePdu[];
  typedAgain: number;
};

function createSmsc() {
  const phones = new Map<string, Phone>();
  const counts = { submits: 0, taken: 0, throttled: 0, binds: 0 };
  const state: { session: PackageSession | undefined; breaksAt: number } = {
    ...{ session: undefined, breaksAt: (SUBSCRIBERS * TURNS) / 2 },
  };
  const server = smppPackage.createServer((session) => {
    // Every deliver_sm under way listens for the end of its link.
    session.setMaxListeners(2 * SUBSCRIBERS);
    session.on("error", () => undefined);
    session.on("close", () => {
      if (state.session === session) state.session = undefined;
    });
    session.on("bind_transceiver", (pdu: PackagePdu) => {
      counts.binds += 1;
      session.send(pdu.response());
      state.session = session;
    });
    session.on("enquire_link", (pdu: PackagePdu) => session.send(pdu.response()));
    session.on("unbind", (pdu: PackagePdu) => session.send(pdu.response()));
    session.on("submit_sm", (pdu: PackagePdu) => {
      counts.submits += 1;
      if (counts.submits % THROTTLED_EVERY === 0) {
        counts.throttled += 1;
        return void session.send(pdu.response({ command_status: THROTTLED }));
      }
      counts.taken += 1;
      phones.get(pdu.destination_addr ?? "")?.screens.push(pdu);
      session.send(pdu.response());
      if (counts.taken === state.breaksAt) session.destroy();
    });
  });
  return { server, phones, counts, state };
}

describe("two hundred dialogues on one SMPP link", () => {
  const smsc = createSmsc();
  let gateway: StartedGateway;
  let app: App;

  before(async () => {
    const port = await listen(smsc.server);
    app = await startApp("ola", async ({ said }, nth) => {
      // Longer for some than for others: whoever mixed them up would be seen.
      await wait((nth * 37) % 90);
      return { screen: `${nth}: ${said}`, end: said === "9" };
    });
    gateway = await startGateway({
      configFile: `export const config = { channels: { link: { protocol: "smpp", smpp: {
        host: "127.0.0.1", port: ${port}, systemId: "dialyard", password: "s3cr3tpw",
        windowMax: 20, submitsPerSecondMax: 1000 } } } };`,
    });
    const inFlight = { max_in_flight: 2 * SUBSCRIBERS };
    await register(gateway.url, { service_code: CODE, callback_url: app.url, ...inFlight });
    while (smsc.state.session === undefined) await wait(20);
  });
  after(async () => {
    await gateway.stop();
    await app.close();
    smsc.state.session?.destroy();
    smsc.server.close();
  });

  /** As an SMSC does it: what was not acknowledged is sent again, on the next link. */
  async function deliver({ msisdn, its }: Phone, op: number, text: string): Promise<void> {
    for (;;) {
      const { session } = smsc.state;
      if (session === undefined) {
        await wait(20);
        continue;
      }
      const fields = {
        ...{ source_addr: msisdn, destination_addr: CODE, service_type: "USSD" },
        ...{ short_message: text, ussd_service_op: op, its_session_info: its },
      };
      const acknowledged = new Promise<number>((done) => {
        session.deliver_sm(fields, ({ command_status: status }) => done(status));
      });
      const status = await Promise.race([acknowledged, once(session, "close").then(() => -1)]);
      if (status === 0) return;
      assert.equal(status, -1, `the gateway answered ${status}`);
    }
  }

  /** Types, and reads; who sees nothing types it again. */
  async function say(phone: Phone, op: number, text: string): Promise<void> {
    const shown = phone.screens.length;
    for (;;) {
      await deliver(phone, op, text);
      const untilMs = Date.now() + PATIENCE_MS;
      while (phone.screens.length === shown && Date.now() < untilMs) await wait(20);
      if (phone.screens.length > shown) return;
      phone.typedAgain += 1;
      assert.ok(phone.typedAgain < 4, `${phone.msisdn} never saw an answer to ${text}`);
    }
  }

  async function talk(phone: Phone): Promise<void> {
    await say(phone, BEGIN, CODE);
    for (const answer of ANSWERS) await say(phone, ANSWER, answer);
  }

  test(
    "each in its order, each answer heard once and shown once",
    { timeout: 60_000 },
    async (t) => {
      const phones = Array.from({ length: SUBSCRIBERS }, (_, nth): Phone => {
        const msisdn = `258841${String(100_000 + nth)}`;
        const phone = { msisdn, its: Buffer.from([nth, 0]), screens: [], typedAgain: 0 };
        smsc.phones.set(msisdn, phone);
        return phone;
      });
      await Promise.all(phones.map(talk));
      // Nothing comes behind.
      await wait(500);

      const wanted = ["", ...ANSWERS].map((said, nth) => `${nth}: ${said}`);
      for (const { msisdn, its, screens } of phones) {
        assert.deepEqual(screens.map(textOf), wanted, msisdn);
        assert.ok(screens.every(({ its_session_info: info }) => info?.equals(its)));
        const ends = screens.map(({ ussd_service_op: op }) => op === LAST);
        assert.deepEqual(ends, [false, false, false, false, true]);
        const heard = app.heard.filter((turn) => turn.msisdn === msisdn);
        assert.deepEqual(
          heard.map(({ said }) => said),
          ["", ...ANSWERS],
        );
      }
      const { binds, throttled, taken } = smsc.counts;
      assert.equal(binds, 2, "the link broke, and was bound again");
      assert.equal(taken, SUBSCRIBERS * TURNS);
      assert.ok(throttled > 100, `${throttled} throttled`);
      const again = phones.reduce((sum, { typedAgain }) => sum + typedAgain, 0);
      t.diagnostic(`${taken} screens, ${throttled} throttled, ${again} typed again`);
    },
  );
});
