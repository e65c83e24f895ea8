/**
 * The fault matrix where time and load matter (RELIABILITY 1 and 5: F18 to F22, F25), JSON doors'
 * statuses, and backends that are switched off.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { httpReply, olaReply, type ScriptedBackend } from "../src/testing/scripted-backend.ts";
import {
  assertWithinBudget,
  closePlaces,
  configFile,
  openPlace,
  timed,
  type Place,
} from "./support/faults.ts";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { onlySessionOf, phoneOn, SCREENS, until } from "./support/operator.ts";

const failing = { raw: httpReply("{}", "500 Internal Server Error") };
const BUSY_MS_MAX = 200;
const WAITS_MS = [1_000, 2_000, 4_000];
const WAIT_TOLERANCE_MS = 150;
const TRIES_MAX = 3;

describe("retries", { concurrency: true }, () => {
  let gateway: StartedGateway;
  before(async () => {
    gateway = await startGateway({ configFile });
  });
  after(async () => {
    assert.doesNotMatch(gateway.stdout(), /unexpected_error|unhandled_rejection/);
    await closePlaces();
    assert.equal(await gateway.stop(), 0);
  });

  /** Dials and returns the times from each attempt to the next, seen from both sides. */
  async function gapsOf(inflict: (backend: ScriptedBackend) => void, msisdn: string) {
    const { backend, serviceCode } = await openPlace(gateway, { retries: 3 });
    inflict(backend);
    const phone = phoneOn("kairos", `${gateway.url}/patient`, msisdn, `patient-${msisdn}`);
    const { value, tookMs } = await timed(() => phone.dial(serviceCode));
    assert.deepEqual(value, { status: 200, isEnd: true, screen: SCREENS.maybeDone });
    assertWithinBudget(tookMs, 20_000);
    const { requests } = backend;
    assert.equal(requests.length, 4);
    assert.equal(new Set(requests.map((request) => request.body)).size, 1);
    await backend.close();
    const [record] = (await onlySessionOf(gateway.url, msisdn)).records;
    const starts = record?.attempts.map(({ start_ms }) => start_ms) ?? [];
    return {
      recorded: starts.slice(1).map((startMs, nth) => startMs - (starts[nth] ?? 0)),
      seen: requests.slice(1).map(({ atMs }, nth) => atMs - (requests[nth]?.atMs ?? 0)),
    };
  }

  const schedules: readonly [title: string, inflict: (b: ScriptedBackend) => void, ms: number][] = [
    ["F25 errors", (backend) => backend.answer(failing), 0],
    [
      "a silent backend with a timeout of 1 s",
      (backend) => backend.answer({ then: "hold" }),
      1_000,
    ],
  ];
  for (const [index, [title, inflict, timeoutMs]] of schedules.entries()) {
    test(`${title}: asked again after 1 s, 2 s and 4 s, with one transaction_id`, async () => {
      const expected = WAITS_MS.map((waitMs) => timeoutMs + waitMs);
      for (let nth = 1; ; nth++) {
        const { recorded, seen } = await gapsOf(inflict, `2588700000${index}${nth}`);
        assert.deepEqual([recorded.length, seen.length], [3, 3]);
        const errors = [recorded, seen].flatMap((gaps) =>
          gaps.map((gap, wait) => gap - (expected[wait] ?? 0)),
        );
        // Clocks are read late on a machine that is busy, which it is not each time.
        if (errors.every((error) => Math.abs(error) <= WAIT_TOLERANCE_MS)) break;
        assert.ok(nth < TRIES_MAX, `off by ${errors.join()} ms`);
      }
    });
  }

  test("the channel's patience cuts the schedule, and the deadline is told", async () => {
    const { backend, serviceCode, newPhone } = await openPlace(gateway, {
      timeout: 10,
      retries: 3,
    });
    backend.answer({ then: "hold" });
    const { value, tookMs } = await timed(() => newPhone("ixo").phone.dial(serviceCode));
    assert.equal(value.screen, SCREENS.maybeDone);
    assertWithinBudget(tookMs);
    assert.equal(backend.requests.length, 1);
    const told = Number(backend.requests[0]?.headers["x-ussd-deadline-ms"]);
    assert.ok(told > 2_500 && told <= 3_200, `${told} ms`);
    await backend.close();
  });

  test("F18 half of all calls fail: half the screens are good, the breaker opens once", async () => {
    const { backend, backendId, serviceCode, newPhone } = await openPlace(gateway, { retries: 0 });
    backend.answer((_, count) => (count % 2 === 0 ? failing : { raw: olaReply() }));
    const screens: string[] = [];
    for (let nth = 0; nth < 30; nth++) {
      screens.push((await newPhone("kairos").phone.dial(serviceCode)).screen);
    }
    const flapping = Array.from({ length: 10 }, () => ["Welcome", SCREENS.maybeDone]).flat();
    assert.deepEqual(screens.slice(0, 20), flapping);
    assert.deepEqual(new Set(screens.slice(20)), new Set([SCREENS.busy]));
    await wait(700); // Log lines are written twice a second.
    assert.deepEqual(breakerEvents(gateway, backendId), ["breaker_opened"]);
    await backend.close();
  });

  test("F19, F20 down: answered at once while the breaker is open; well again within 10 s", async () => {
    const place = await openPlace(gateway, { retries: 0 });
    const { backend, backendId, serviceCode, newPhone } = place;
    await backend.refuse();
    for (let nth = 0; nth < 10; nth++) {
      const seen = await newPhone("africastalking").phone.dial(serviceCode);
      assert.deepEqual(seen, { status: 200, isEnd: true, screen: SCREENS.notSent });
    }
    const { phone, msisdn } = newPhone("ixo");
    const { value: busy, tookMs } = await timed(() => phone.dial(serviceCode));
    assert.deepEqual(busy, { status: 200, isEnd: true, screen: SCREENS.busy });
    assert.ok(tookMs < BUSY_MS_MAX, `${tookMs} ms`);
    const { outcome, records } = await onlySessionOf(gateway.url, msisdn);
    assert.deepEqual([outcome, records[0]?.attempts], ["backend_busy", []]);

    backend.answer({ raw: olaReply(), delayMs: 200 });
    await backend.listenAgain();
    const upAtMs = performance.now();
    const burst = async () => {
      const dials = Array.from({ length: 10 }, () => newPhone("kairos").phone.dial(serviceCode));
      const screens = (await Promise.all(dials)).map(({ screen }) => screen);
      return screens.filter((screen) => screen === "Welcome").length;
    };
    let welcomed = 0;
    await until("a subscriber is let in", async () => (welcomed = await burst()) > 0);
    assert.ok(performance.now() - upAtMs < 10_000);
    assert.equal(welcomed, 1, "one probe, no stampede");
    assert.equal(backend.requests.length, 1);
    assert.equal(await burst(), 10, "then everybody");
    await wait(700);
    assert.deepEqual(breakerEvents(gateway, backendId), ["breaker_opened", "breaker_closed"]);
    await backend.close();
  });

  test("F21 slow under load: as many as may be in flight are served, the rest told at once", async () => {
    const place = await openPlace(gateway, { max_in_flight: 5, timeout: 3 });
    const { backend, serviceCode, newPhone } = place;
    backend.answer({ raw: olaReply(), delayMs: 1_500 });
    const dials = Array.from({ length: 30 }, () =>
      timed(() => newPhone("ixo").phone.dial(serviceCode)),
    );
    const seen = await Promise.all(dials);
    const served = seen.filter(({ value }) => value.screen === "Welcome");
    const busy = seen.filter(({ value }) => value.screen === SCREENS.busy);
    assert.deepEqual([served.length, busy.length], [5, 25]);
    for (const { tookMs } of busy) assert.ok(tookMs < 1_000, `told after ${tookMs} ms`);
    assert.equal(backend.requests.length, 5);
    await place.expectHealthy("ixo");
    await backend.close();
  });

  test("F22 one of ten backends hangs: nobody else waits for it", async () => {
    const places = await Promise.all(Array.from({ length: 10 }, () => openPlace(gateway)));
    const [hanging, ...others] = places;
    assert.ok(hanging);
    hanging.backend.answer({ then: "hold" });
    const dialAt = ({ newPhone, serviceCode }: Place) =>
      timed(() => newPhone("kairos").phone.dial(serviceCode));
    const stuck = Array.from({ length: 40 }, () => dialAt(hanging));
    await until("it hangs", () => hanging.backend.requests.length >= 20);
    for (const { value, tookMs } of await Promise.all(others.map(dialAt))) {
      assert.equal(value.screen, "Welcome");
      assert.ok(tookMs < 500, `${tookMs} ms`);
    }
    for (const { value, tookMs } of await Promise.all(stuck)) {
      assert.equal(value.isEnd, true);
      assertWithinBudget(tookMs);
    }
    await Promise.all(places.map(({ backend }) => backend.close()));
  });

  type DoorCase = readonly [
    title: string,
    inflict: (place: Place) => unknown,
    status: number,
    error: string,
    registration?: Readonly<Record<string, unknown>>,
  ];
  const doorCases: readonly DoorCase[] = [
    ["port closed", ({ backend }) => backend.refuse(), 502, "backend_unavailable"],
    ["500", ({ backend }) => backend.answer(failing), 502, "backend_unavailable"],
    ["not the contract", ({ backend }) => backend.answer(OTHER), 502, "backend_unavailable"],
    ["cut off", ({ backend }) => backend.answer({ then: "rst" }), 502, "backend_unavailable"],
    ["silent", ({ backend }) => backend.answer({ then: "hold" }), 504, "backend_timeout"],
    ["inactive", () => undefined, 503, "backend_unavailable", { status: "inactive" }],
    ["breaker open", openBreaker, 503, "backend_unavailable", { retries: 0 }],
  ];
  for (const [index, [title, inflict, status, error, registration]] of doorCases.entries()) {
    test(`the test door, ${title}: ${status} ${error}`, async () => {
      const place = await openPlace(gateway, registration);
      await inflict(place);
      const response = await dialDoor(place.serviceCode, `25887100000${index}`);
      assert.equal(response.status, status);
      const body = (await response.json()) as Record<string, string>;
      assert.deepEqual([body["error"], body["service_code"]], [error, place.serviceCode]);
      assert.ok(body["message"]?.endsWith(place.serviceCode));
      assert.equal("output" in body, false);
      await place.backend.close().catch(() => undefined);
    });
  }

  test("the test door, a code that nobody registered: 404 backend_not_found", async () => {
    const response = await dialDoor("*9999#", "258871000099");
    assert.equal(response.status, 404);
    const { error } = (await response.json()) as Record<string, string>;
    assert.equal(error, "backend_not_found");
  });

  for (const via of ["africastalking", "ixo", "kairos"]) {
    test(`${via}: a code that nobody registered, or whose backend is off, says so`, async () => {
      const { backend, serviceCode, newPhone } = await openPlace(gateway, { status: "inactive" });
      const off = await newPhone(via).phone.dial(serviceCode);
      assert.deepEqual(off, { status: 200, isEnd: true, screen: SCREENS.notSent });
      const unknown = await newPhone(via).phone.dial("*9999#");
      assert.deepEqual(unknown, { status: 200, isEnd: true, screen: SCREENS.unknownCode });
      assert.equal(backend.connections(), 0);
      await backend.close();
    });
  }

  test("F67 a backend switched off: who is inside goes on, nobody else gets in", async () => {
    const { backend, backendId, serviceCode, newPhone } = await openPlace(gateway);
    const { phone } = newPhone("kairos");
    await phone.dial(serviceCode);
    const row = (await (await fetch(`${gateway.url}/backends/${backendId}`)).json()) as object;
    const fields = Object.entries({ ...row, status: "inactive" });
    const body = Object.fromEntries(fields.filter(([name]) => !name.endsWith("_at")));
    const response = await fetch(`${gateway.url}/backends`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
    assert.equal((await phone.type("1")).screen, "Welcome");
    assert.equal((await newPhone("kairos").phone.dial(serviceCode)).screen, SCREENS.notSent);
    await backend.close();
  });

  async function openBreaker({ backend, serviceCode, newPhone }: Place): Promise<void> {
    await backend.refuse();
    for (let nth = 0; nth < 10; nth++) await newPhone("kairos").phone.dial(serviceCode);
  }

  function dialDoor(serviceCode: string, msisdn: string): Promise<Response> {
    const ids = { session_id: msisdn, transaction_id: `${msisdn}-1`, msisdn };
    return fetch(`${gateway.url}/ussd/test/callback`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ provider: "movitel", ...ids, service_code: serviceCode, input: "" }),
    });
  }
});

const OTHER = { raw: httpReply('{"ussdString":"Welcome"}') };

function breakerEvents(gateway: StartedGateway, backendId: number): readonly string[] {
  return gateway
    .stdout()
    .split("\n")
    .filter((line) => line.includes(`"backend_id":${backendId}}`))
    .flatMap((line) => /"event":"(breaker_[a-z]+)"/.exec(line)?.[1] ?? []);
}
