/**
 * Who reads whose balance when requests overlap. Each subscriber dials and asks for the balance,
 * whose lookup takes a while; requests of all of them arrive at random, one after another.
 */
import { setTimeout as wait } from "node:timers/promises";
import UssdBuilder from "ussd-builder";
import UssdMenuBuilder from "ussd-menu-builder";
import { createExchange, memoryAppStore, ussd } from "../../src/app/index.ts";

type Said = { readonly session: string; readonly phone: string; readonly text: string };
type Lookup = (phone: string) => Promise<number>;
/** A running service: `answer` is the way back to the one who asked. */
type Service = (said: Said, answer: (screen: string) => void) => void;

export type Load = {
  readonly subscribers: number;
  readonly requestsPerSecond: number;
  /** So many services beside each other, each with its share of subscribers at this rate. */
  readonly services: number;
  readonly lookupMs: readonly [min: number, max: number];
  readonly seed: number;
};
/** Requests by what came of them; `twice` are answered more than once, and counted as such too. */
export type Tally = {
  readonly requests: number;
  right: number;
  another: number;
  wrong: number;
  unanswered: number;
  twice: number;
};

const LATE_MS = 1_000;
/** Requests of others between a subscriber's two. */
const BETWEEN = 9;

export const styles: Readonly<Record<string, (lookup: Lookup) => Service>> = {
  "dialyard/app": (lookup) => {
    const u = ussd<{ main: object }>();
    const main = u.menu({
      title: "Welcome. Choose option:",
      items: [
        {
          label: "Show Balance",
          to: async ({ turn, end }) => end(`Your balance is KES ${await lookup(turn.msisdn)}`),
        },
      ],
    });
    const app = u.app({ name: "balance", start: "main", screens: { main } });
    const exchange = createExchange(app, { protocol: "africastalking", store: memoryAppStore() });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return ({ session, phone, text }, answer) => {
      const form = { sessionId: session, serviceCode: "*384#", phoneNumber: `+${phone}`, text };
      const body = new URLSearchParams(form).toString();
      const request = { method: "POST", path: "", query: "", headers, body };
      void exchange(request).then((reply) => answer(reply.body));
    };
  },
  "ussd-menu-builder, callback": (lookup) => callback(asInReadme(new UssdMenuBuilder(), lookup)),
  "ussd-menu-builder, promise": (lookup) => promise(asInReadme(new UssdMenuBuilder(), lookup)),
  "ussd-builder, callback": (lookup) => callback(asInReadme(new UssdBuilder(), lookup)),
  "ussd-builder, promise": (lookup) => promise(asInReadme(new UssdBuilder(), lookup)),
};

type Menu = UssdMenuBuilder | UssdBuilder;

/** The quick example of both READMEs: one menu for all requests. */
function asInReadme(menu: Menu, fetchBalance: Lookup): Menu {
  menu.startState({
    run: () => menu.con("Welcome. Choose option:\n1. Show Balance"),
    next: { "1": "showBalance" },
  });
  menu.state("showBalance", {
    run() {
      void fetchBalance(menu.args.phoneNumber.slice(1)).then((balance) => {
        menu.end(`Your balance is KES ${balance}`);
      });
    },
  });
  return menu;
}

function argsOf({ session, phone, text }: Said) {
  return { sessionId: session, serviceCode: "*384#", phoneNumber: `+${phone}`, text };
}

function callback(menu: Menu): Service {
  return (said, answer) => void menu.run(argsOf(said), answer);
}

function promise(menu: Menu): Service {
  return (said, answer) => void menu.run(argsOf(said)).then(answer);
}

export async function measureCrosstalk(style: string, load: Load): Promise<Tally> {
  const make = styles[style];
  if (make === undefined) throw new Error(`one of ${Object.keys(styles).join("; ")}`);
  const tally: Tally = {
    requests: load.subscribers * 2,
    ...{ right: 0, another: 0, wrong: 0, unanswered: 0, twice: 0 },
  };
  const share = load.subscribers / load.services;
  const served = Array.from({ length: load.services }, (_, service) => {
    const random = randomOf(load.seed + service);
    const [min, max] = load.lookupMs;
    const lookup: Lookup = async (phone) => {
      await wait(min + random() * (max - min));
      return balanceOf(phone);
    };
    const phones = Array.from({ length: share }, (__, n) => `2547${service * share + n + 1e7}`);
    return serve(make(lookup), phones, load.requestsPerSecond, random, tally);
  });
  await Promise.all(served);
  return tally;
}

/** Every dial is followed, some requests of others later, by its balance. */
async function serve(
  service: Service,
  phones: readonly string[],
  perSecond: number,
  random: () => number,
  tally: Tally,
): Promise<void> {
  const requests = phones.flatMap((phone, n) => [
    { at: n * 2, said: { session: `s${phone}`, phone, text: "" } },
    { at: n * 2 + BETWEEN, said: { session: `s${phone}`, phone, text: "1" } },
  ]);
  const answers: number[] = [];
  let dueMs = performance.now();
  for (const [index, { said }] of requests.toSorted((a, b) => a.at - b.at).entries()) {
    // Poisson: the gaps between arrivals are exponential.
    dueMs += (-Math.log(1 - random()) * 1000) / perSecond;
    // Always a step of the clock: where we are late, nobody answers a screen that is on its way.
    await wait(Math.max(0, dueMs - performance.now()));
    answers[index] = 0;
    service(said, (screen) => {
      const count = (answers[index] ?? 0) + 1;
      answers[index] = count;
      if (count > 1) tally.twice += count === 2 ? 1 : 0;
      else tally[judge(said, screen)] += 1;
    });
  }
  await wait(LATE_MS);
  tally.unanswered += answers.filter((count) => count === 0).length;
}

function judge({ phone, text }: Said, screen: string): "right" | "another" | "wrong" {
  const balance = /balance is KES (\d+)/.exec(screen)?.[1];
  if (text === "") {
    if (balance !== undefined) return "another";
    return screen.startsWith("CON Welcome") ? "right" : "wrong";
  }
  if (balance === undefined) return "wrong";
  return Number(balance) === balanceOf(phone) ? "right" : "another";
}

function balanceOf(phone: string): number {
  return Number(phone.slice(-5)) * 7 + 13;
}

/** Mulberry32: the same arrivals for every library and in every run. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
