/**
 * Applications that others' libraries made, unmodified behind us: the same menu written with
 * ussd-builder in each dialect it has and with ussd-menu-builder, served by Express as their
 * READMEs do it, each reached through a Kairos and a TruRoute channel.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import express from "express";
import UssdBuilder from "ussd-builder";
import UssdMenuBuilder from "ussd-menu-builder";
import { startGateway, type StartedGateway } from "./support/gateway.ts";
import { networks, register, type Phone, type Seen } from "./support/phones.ts";

type Menu = UssdBuilder | UssdMenuBuilder;
type Dialect = {
  readonly title: string;
  readonly protocol: string;
  readonly createMenu: () => Menu;
  /** The library reads digits dialled behind the code. */
  readonly readsDigits: boolean;
};

/** By its name in ussd-builder; the type of its option has fewer than the library knows. */
const builder = (provider: string, protocol: string, readsDigits = false): Dialect => ({
  title: `ussd-builder, ${provider}`,
  protocol,
  createMenu: () => new UssdBuilder({ provider } as never),
  readsDigits,
});
const dialects: readonly Dialect[] = [
  {
    title: "ussd-menu-builder",
    protocol: "africastalking",
    createMenu: () => new UssdMenuBuilder(),
    readsDigits: true,
  },
  builder("africasTalking", "africastalking", true),
  builder("hubtel", "hubtel", true),
  builder("emergent", "emergent", true),
  builder("arkesel", "arkesel"),
  builder("nalo", "nalo"),
  builder("beem", "beem"),
  builder("southpawsl", "southpawsl"),
];

/** A menu for each request: one for all, as in the READMEs, mixes up subscribers. */
function menuOf(createMenu: () => Menu, sessions: Map<string, Map<string, unknown>>): Menu {
  const menu = createMenu();
  menu.sessionConfig({
    start: (id: string) => Promise.resolve(sessions.set(id, sessions.get(id) ?? new Map())),
    get: (id: string, key: string) => Promise.resolve(sessions.get(id)?.get(key)),
    set(id: string, key: string, value: unknown) {
      sessions.set(id, (sessions.get(id) ?? new Map<string, unknown>()).set(key, value));
      return Promise.resolve();
    },
    end: (id: string) => Promise.resolve(sessions.delete(id)),
  });
  menu.startState({
    run: () => menu.con("Welcome. Choose option:\n1. Balance\n2. Send money"),
    next: { "1": "balance", "2": "amount" },
  });
  menu.state("balance", { run: () => menu.end(`Balance of ${menu.args.phoneNumber}: 250`) });
  menu.state("amount", { run: () => menu.con("Amount:"), next: { "*\\d+": "sent" } });
  menu.state("sent", { run: () => menu.end(`Sent ${menu.val}`) });
  return menu;
}

async function startApp(createMenu: () => Menu): Promise<{ url: string; server: Server }> {
  const sessions = new Map<string, Map<string, unknown>>();
  const app = express();
  app.use(express.json(), express.urlencoded({ extended: false }));
  app.post("/ussd", (request, response) => {
    void menuOf(createMenu, sessions)
      .run(request.body as never)
      .then((result: unknown) => response.send(result));
  });
  const server = createServer(app);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ussd`, server };
}

/** The network's side of TruRoute, from its interface document. */
function truroute(url: string, msisdn: string, sessionId: string): Phone {
  let last = "";
  const post = async (): Promise<Seen> => {
    const headers = { "content-type": "text/xml" };
    const response = await fetch(`${url}/truroute`, { method: "POST", headers, body: last });
    const body = await response.text();
    const { type = "", msg = "" } =
      /<type>(?<type>\d+)<\/type><msg>(?<msg>[^<]*)<\/msg>/.exec(body)?.groups ?? {};
    return { status: response.status, screen: msg, isEnd: type === "3" };
  };
  const send = (type: number, msg: string): Promise<Seen> => {
    last =
      `<ussd><msisdn>${msisdn}</msisdn><sessionid>${sessionId}</sessionid>` +
      `<type>${type}</type><msg>${msg}</msg></ussd>`;
    return post();
  };
  return { dial: (code) => send(1, code), type: (input) => send(2, input), again: post };
}

const CONFIG = `export const config = { channels: {
  kairos: { protocol: "kairos" },
  truroute: { protocol: "truroute", paths: ["/truroute"] },
} };`;
const MENU = "Welcome. Choose option:\n1. Balance\n2. Send money";
const seen = ({ screen, isEnd }: Seen) => [screen, isEnd];

describe("applications made with others' libraries", () => {
  let gateway: StartedGateway;
  const servers: Server[] = [];
  const codes = dialects.map((_, nth) => `*38${nth}#`);
  before(async () => {
    gateway = await startGateway({ configFile: CONFIG });
    for (const [nth, { createMenu, protocol }] of dialects.entries()) {
      const { url, server } = await startApp(createMenu);
      servers.push(server);
      await register(gateway.url, { service_code: codes[nth], callback_url: url, protocol });
    }
  });
  after(async () => {
    await gateway.stop();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  const phones = { kairos: networks["kairos"]!, truroute };
  for (const [nth, { title, readsDigits }] of dialects.entries()) {
    for (const [channel, network] of Object.entries(phones)) {
      const open = (what: string) =>
        network(
          gateway.url,
          `2332410000${nth}${channel.length}`,
          `third-${nth}-${channel}-${what}`,
        );

      test(`${title}, through ${channel}`, async () => {
        const phone = open("send");
        const code = codes[nth] ?? "";
        assert.deepEqual(seen(await phone.dial(code)), [MENU, false]);
        assert.deepEqual(seen(await phone.type("2")), ["Amount:", false]);
        assert.deepEqual(seen(await phone.type("500")), ["Sent 500", true]);

        const other = open("balance");
        await other.dial(code);
        const number = `+2332410000${nth}${channel.length}`;
        assert.deepEqual(seen(await other.type("1")), [`Balance of ${number}: 250`, true]);

        if (!readsDigits) return;
        const dialled = await open("digits").dial(`${code.slice(0, -1)}*2*500#`);
        assert.deepEqual(seen(dialled), ["Sent 500", true]);
      });
    }
  }
});
