/**
 * A PIN passes through and stays nowhere; a number is nowhere in full (RELIABILITY 2.8). A canary
 * of twelve digits is typed and dialled in every way there is, then looked for everywhere.
 */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { findLeaks, readFiles } from "./support/leaks.ts";
import { networks, register, startApp, type App, type Phone } from "./support/phones.ts";

const PIN = "730519284657";
/** Typed where no secret is asked for: is found, or the search is worth nothing. */
const ACCOUNT = "618203947512";
/** The last digits make each subscriber another. */
const MSISDN = "2588471936";
const DOORS: Readonly<Record<string, string>> = {
  ola: "/ussd/test/callback",
  africastalking: "/api/v1/ussd/",
  ixo: "/api/ussd",
  kairos: "/ussd/kairos/callback",
};
const SCREENS = ["Enter account number:", "Enter PIN:", "Enter amount:", "Paid", "?"];
const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

describe("a PIN and a number are nowhere to be read", () => {
  let gateway: StartedGateway;
  const apps: { close: () => Promise<unknown> }[] = [];
  const msisdns: string[] = [];
  const networkIds: string[] = [];
  let backends = 0;
  let live = "";
  const stopListening = new AbortController();

  function phoneOf(protocol: string): Phone {
    const network = networks[protocol];
    assert.ok(network);
    const msisdn = `${MSISDN}${msisdns.length + 10}`;
    const sessionId = `secret-${msisdns.length}`;
    msisdns.push(msisdn);
    networkIds.push(sessionId);
    return network(gateway.url, msisdn, sessionId);
  }
  /** Asks for account, PIN and amount; `atPin` comes before the answer to the PIN. */
  async function serve(
    code: string,
    protocol: string,
    atPin: (app: App) => Promise<unknown> = () => Promise.resolve(),
    screens: readonly string[] = SCREENS,
  ): Promise<App> {
    const app: App = await startApp(protocol, async (_, nth) => {
      if (nth === 2) await atPin(app);
      return { screen: screens[nth] ?? "?", end: nth >= 3 };
    });
    apps.push(app);
    const callback_url = app.url;
    await register(gateway.url, {
      service_code: code,
      callback_url,
      protocol,
      timeout: 1,
      retries: 1,
    });
    return app;
  }
  /** A backend of no manners, after two turns of good ones. */
  async function serveRude(code: string, rude: RequestListener): Promise<void> {
    const turns = new Map<string, number>();
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        const { session_id, transaction_id } = JSON.parse(body);
        const nth = turns.get(session_id) ?? 0;
        turns.set(session_id, nth + 1);
        if (nth >= 2) return rude(request, response);
        const output = [SCREENS[nth]];
        response.writeHead(200, { "content-type": JSON_TYPE });
        response.end(JSON.stringify({ session_id, transaction_id, output, end_session: false }));
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    apps.push({
      close: () => {
        server.closeAllConnections();
        return new Promise((done) => server.close(done));
      },
    });
    const callback_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await register(gateway.url, { service_code: code, callback_url, retries: 0 });
  }
  const send = async (path: string, type: string, body: string | Buffer, headers = {}) => {
    const response = await fetch(gateway.url + path, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body,
    });
    return { status: response.status, text: await response.text() };
  };
  const readMetrics = async () => (await fetch(`${gateway.url}/metrics`)).text();
  /** All that somebody could read later: what was printed, stored, served, counted and streamed. */
  async function everywhere(): Promise<Map<string, Buffer>> {
    const places = new Map(readFiles(gateway.dataDir));
    const get = async (path: string) => {
      const text = await (await fetch(gateway.url + path)).text();
      places.set(`GET ${path}`, Buffer.from(text));
      return text;
    };
    for (const path of [
      "/metrics",
      "/backends",
      "/health",
      "/api/v1/channels",
      "/api/ussd/sessions",
    ])
      await get(path);
    for (let next: string | null = ""; next !== null;) {
      const page = JSON.parse(await get(`/api/v1/sessions?limit=500${next && `&after=${next}`}`));
      for (const { id } of page.sessions) await get(`/api/v1/sessions/${id}`);
      next = page.next;
    }
    for (const id of networkIds) await get(`/api/ussd/debug/${id}`);
    places.set("GET /api/v1/events", Buffer.from(live));
    places.set("standard output and error", Buffer.from(gateway.stdout()));
    return places;
  }

  before(async () => {
    gateway = await startGateway({
      env: { LOG_LEVEL: "debug" },
      // More requests a minute than the protocol's owner allows.
      configFile: `export const config = {
        channels: { ixo: { protocol: "ixo", requestsPerMinuteMax: 0 } },
      };`,
    });
    const { signal } = stopListening;
    const { body } = await fetch(`${gateway.url}/api/v1/events`, { signal });
    assert.ok(body);
    const chunks = body.pipeThrough(new TextDecoderStream());
    void (async () => {
      for await (const chunk of chunks) live += chunk;
    })().catch(() => undefined);
    await serve("*7005#", "ola");
    for (const [index, protocol] of Object.keys(networks).entries())
      await serve(`*701${index}#`, protocol);
  });
  after(async () => {
    stopListening.abort();
    await gateway.stop();
    for (const app of apps) await app.close();
  });

  test("the search finds a number in each form", () => {
    const octets = Buffer.from(PIN);
    const tails = ["", "a", "ab"].map((head) => Buffer.from(`${head}${PIN}xyz`).toString("base64"));
    const integer = Buffer.alloc(8);
    integer.writeBigUInt64BE(BigInt(PIN));
    const haystacks = [octets, Buffer.from(octets.toString("hex")), integer, ...tails];
    for (const text of haystacks) {
      const around = Buffer.concat([Buffer.from("a "), Buffer.from(text), Buffer.from(" z")]);
      assert.notDeepEqual(findLeaks(PIN, new Map([["here", around]])), [], String(text));
    }
    assert.deepEqual(findLeaks(PIN, new Map([["here", Buffer.from(ACCOUNT)]])), []);
  });

  for (const inbound of Object.keys(networks)) {
    for (const [index, outbound] of Object.keys(networks).entries()) {
      test(`typed through ${inbound} to a backend that speaks ${outbound}, and sent twice`, async () => {
        const phone = phoneOf(inbound);
        const seen = [
          await phone.dial(`*701${index}#`),
          await phone.type(ACCOUNT),
          await phone.type(PIN),
        ];
        if (inbound !== "kairos") seen.push(await phone.again());
        const last = await phone.type("50");
        assert.deepEqual(
          seen.map(({ screen }) => screen),
          inbound === "kairos" ? SCREENS.slice(0, 3) : [...SCREENS.slice(0, 3), SCREENS[2]],
        );
        assert.deepEqual(last, { status: 200, isEnd: true, screen: "Paid" });
      });
    }

    test(`dialled after the code through ${inbound}, of a service and of none`, async () => {
      const answer = await phoneOf(inbound).dial(`*7005*${PIN}#`);
      assert.equal(answer.screen, "Enter PIN:");
      const behindText = await phoneOf(inbound).dial(`*7011*${PIN}#`);
      assert.equal(behindText.screen, "Enter account number:");
      await phoneOf(inbound).dial(`*799*${PIN}#`);
      await phoneOf(inbound).dial(`*799*1*${PIN}#`);
    });

    test(`typed through ${inbound} on a session that nobody knows`, async () => {
      const phone = phoneOf(inbound);
      await phone.type(ACCOUNT);
      await phone.type(PIN);
    });

    test(`in requests to ${inbound} that are refused`, async () => {
      const msisdn = `${MSISDN}99`;
      const door = DOORS[inbound] ?? "";
      const fields = {
        provider: "movitel",
        msisdn,
        session_id: "s",
        sessionId: "s",
        transaction_id: "t",
        service_code: "*7005#",
        serviceCode: "*7005#",
        phoneNumber: `+${msisdn}`,
        messageType: "0",
      };
      const json = JSON.stringify({ ...fields, input: PIN, text: PIN, ussdString: PIN });
      const form = new URLSearchParams({ ...fields, text: PIN }).toString();
      const long = PIN.repeat(20);
      const bodies: readonly (string | Buffer)[] = [
        json.slice(0, -1),
        `${json}${PIN}`,
        json.replaceAll(`"${PIN}"`, `{"pin":"${PIN}"}`),
        json.replaceAll(`"${PIN}"`, `"${long}"`),
        json.replaceAll(`"${PIN}"`, PIN),
        json.replaceAll(msisdn, `${msisdn}0${PIN}`),
        json.replaceAll("{", `{"${PIN}":"${msisdn}",`),
        Buffer.from(`${json}\u00ff`, "latin1"),
        `${form}&text=${PIN}`,
        `${form}%zz`,
        form.replace(`text=${PIN}`, `text=${long}`),
        PIN.repeat(800),
      ];
      for (const type of [JSON_TYPE, FORM, "text/plain"]) {
        for (const body of bodies) {
          const { status } = await send(door, type, body);
          assert.ok(status < 500, `${status} to ${String(body).slice(0, 200)}`);
        }
      }
      await send(door, JSON_TYPE, json, { "x-ussd-hop": PIN });
      await send(door, JSON_TYPE, json, { "content-encoding": PIN });
      await fetch(`${gateway.url}${door}?${form}`).then((response) => response.text());
      await send(`/ussd/${PIN}/callback?input=${PIN}`, JSON_TYPE, json);
      await send(`/backends`, JSON_TYPE, json.slice(1));
      await send(`/backends`, JSON_TYPE, json);
      await sendRaw(gateway.port, `POST ${door} HTTP/1.1\r\nhost: a\r\nbad ${PIN}\r\n\r\n${json}`);
    });
  }

  test("with a page of menu before it", async () => {
    const long = `${"A line of terms\n".repeat(14)}Enter PIN:`;
    await serve("*7020#", "ola", undefined, [SCREENS[0] ?? "", long, "Enter amount:"]);
    const phone = phoneOf("kairos");
    await phone.dial("*7020#");
    assert.match((await phone.type(ACCOUNT)).screen, /98\. More$/);
    assert.equal((await phone.type(PIN)).screen, "Enter amount:");
  });

  const failures: readonly [
    title: string,
    outcome: string,
    serveIt: (code: string) => Promise<unknown>,
  ][] = [
    ["is gone", "backend_unreachable", (code) => serve(code, "ola", (app) => app.close())],
    [
      "is silent",
      "backend_timeout",
      (code) => serve(code, "ola", () => wait(4_000, 0, { ref: false })),
    ],
    [
      "is silent, and asked for the history",
      "backend_timeout",
      (code) => serve(code, "africastalking", () => wait(4_000, 0, { ref: false })),
    ],
    [
      "answers 500 and quotes it",
      "backend_failed",
      (code) =>
        serveRude(code, (_, response) => {
          response.writeHead(500, { "content-type": JSON_TYPE, "x-pin": PIN });
          response.end(JSON.stringify({ output: PIN, error: `bad PIN ${PIN}`, pin: PIN }));
        }),
    ],
    [
      "answers what is no JSON and quotes it",
      "backend_malformed",
      (code) => serveRude(code, (_, response) => response.end(`<pre>Error: ${PIN}</pre>`)),
    ],
    [
      "sends elsewhere with it in the address",
      "backend_malformed",
      (code) =>
        serveRude(code, (_, response) =>
          response.writeHead(302, { location: `http://127.0.0.1:9/?pin=${PIN}` }).end(),
        ),
    ],
    [
      "breaks off after it",
      "backend_disconnected",
      (code) =>
        serveRude(code, (_, response) => {
          response.writeHead(200, { "content-length": 999 }).write(`{"pin":"${PIN}`);
          setTimeout(() => response.destroy(), 20);
        }),
    ],
    [
      "breaks HTTP with it",
      "backend_malformed",
      (code) =>
        serveRude(code, (_, response) =>
          response.socket?.end(`HTTP/1.1 200 OK\r\nbad header ${PIN}\r\n\r\n${PIN}`),
        ),
    ],
  ];
  for (const [title, outcome, serveIt] of failures) {
    test(`typed to a backend that ${title}`, async () => {
      const screens = Object.keys(networks).map(async (inbound) => {
        backends += 1;
        const code = `*703*${backends}#`;
        await serveIt(code);
        const phone = phoneOf(inbound);
        await phone.dial(code);
        assert.equal((await phone.type(ACCOUNT)).screen, "Enter PIN:", inbound);
        // Another input while that one is under way, and the same once more.
        const typed = [phone.type(PIN), phone.again(), phone.type(`${PIN}1`)];
        const [first] = await Promise.all(typed);
        assert.ok(first?.isEnd);
      });
      await Promise.all(screens);
      assert.match(await readMetrics(), new RegExp(`result="${outcome}"} [1-9]`));
    });
  }

  test("the PIN is nowhere; what may be seen is found by the same search", async () => {
    await wait(1_000); // log lines are written twice a second
    const places = await everywhere();
    assert.deepEqual(findLeaks(PIN, places), []);
    const seenIn = findLeaks(ACCOUNT, places).map((leak) => leak.split(":")[0] ?? "");
    assert.ok(
      seenIn.some((place) => place.startsWith("file dialyard.db")),
      seenIn.join(),
    );
    assert.ok(seenIn.some((place) => place.startsWith("GET /api/v1/sessions/sess_")));
    assert.match(String(places.get("standard output and error")), /"event":"turn"/);
    assert.match(live, /"type":"turn"/);
  });

  test("no number is anywhere in full but in the debug answers of development", async () => {
    const places = await everywhere();
    // IXO API docs, Debug endpoints: phoneNumber; production shuts them and masks it.
    const found = [...places].filter(([name]) => !name.startsWith("GET /api/ussd/debug/"));
    assert.deepEqual(
      [...msisdns, `${MSISDN}99`].flatMap((msisdn) => findLeaks(msisdn, new Map(found))),
      [],
    );
  });

  test("nor is either in the files of a gateway killed while a backend has the PIN", async () => {
    await serve("*7040#", "africastalking", async () => {
      gateway.kill("SIGKILL");
      await wait(4_000, 0, { ref: false });
    });
    const phone = phoneOf("kairos");
    await phone.dial("*7040#");
    await phone.type(ACCOUNT);
    await assert.rejects(phone.type(PIN));
    await gateway.exited;
    const files = readFiles(gateway.dataDir);
    assert.deepEqual(findLeaks(PIN, files), []);
    assert.deepEqual(findLeaks(msisdns.at(-1) ?? "", files), []);
    assert.ok(files.has("file dialyard.db-wal"), [...files.keys()].join());
  });
});

/** What no HTTP client would send. */
async function sendRaw(port: number, text: string): Promise<void> {
  await new Promise<void>((done) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(text));
    socket.on("close", () => done()).on("error", () => done());
    socket.resume();
  });
}
