/**
 * What a run of chaos does, all of it drawn from one seed before it begins: which sessions, which
 * faults at which times. The same seed draws the same again; what the machine makes of it differs.
 */

export type Options = {
  readonly seed: number;
  readonly minutes: number;
  readonly sessions: number;
  /** kill -9 of gateways. */
  readonly kills: number;
  /** SIGSTOP of gateways, some for longer than a lease. */
  readonly stops: number;
  readonly postgresKills: number;
  readonly redisKills: number;
  /** Connections severed, slowed and stalled. */
  readonly cuts: number;
  /** Sessions on PostgreSQL, or on Redis with records in PostgreSQL. */
  readonly store: "postgres" | "redis";
  /** `appendfsync` of Redis, or no append-only file. */
  readonly redisDisk: "always" | "everysec" | "none";
  readonly budgetMs: number;
  /** What a screen may come late by, beyond the budget; 250 where it is left out. */
  readonly spareMs?: number;
};

export const NODES = 3;
/** Which wire a subscriber's network speaks. */
export const WIRES = ["kairos", "africastalking", "ixo"] as const;
export type Wire = (typeof WIRES)[number];

/** The ledger under two codes: it remembers transaction ids behind one alone. */
export const CODES = { remembers: "*801#", forgets: "*802#" } as const;
/** Typed last: the transfer. */
export const CONFIRM = "2";
const SHORT = ["1", CONFIRM];
const LONG = ["1", "3", "4", "3", CONFIRM];
const LONG_SHARE = 0.1;
const FORGETS_SHARE = 0.3;
/**
 * Networks that hang up and ask again, though nothing failed (F36). Not on Kairos, whose repeats
 * cannot be told from new input once the answer was on its way.
 */
const IMPATIENT_SHARE = 0.01;

/** Sessions that begin when all faults are over. */
export const AFTERWARDS = 10;

export type SessionPlan = {
  readonly atMs: number;
  readonly msisdn: string;
  readonly networkId: string;
  readonly wire: Wire;
  readonly code: string;
  readonly inputs: readonly string[];
  readonly node: number;
  readonly thinkMs: number;
  readonly isImpatient: boolean;
  /** Begins when the last fault is over: the service has to be well again. */
  readonly isAfterwards: boolean;
};

export type Link = "postgres" | "redis" | "ledger";
export type Fault = { readonly atMs: number } & (
  | { readonly type: "kill"; readonly node: number; readonly downMs: number }
  | { readonly type: "stop"; readonly node: number; readonly forMs: number }
  | { readonly type: "kill_server"; readonly server: "postgres" | "redis"; readonly downMs: number }
  | { readonly type: "sever"; readonly link: Link; readonly node: number }
  | {
      readonly type: "slow" | "stall";
      readonly link: Link;
      readonly node: number;
      readonly forMs: number;
    }
);

export type Random = {
  /** 0 to below 1. */
  readonly next: () => number;
  readonly between: (least: number, most: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
};

/** mulberry32: 32 bits of state, enough to draw a plan. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => Math.floor(least + next() * (most - least));
  return { next, between, pick: (list) => list[Math.floor(next() * list.length)]! };
}

export function planSessions({ seed, minutes, sessions }: Options): readonly SessionPlan[] {
  const random = createRandom(seed);
  const lengthMs = minutes * 60_000;
  return Array.from({ length: sessions }, (_, index) => {
    const wire = random.pick(WIRES);
    return {
      atMs: Math.floor((index * lengthMs) / sessions),
      msisdn: `25884${String(index).padStart(7, "0")}`,
      networkId: `chaos-${index}`,
      wire,
      code: random.next() < FORGETS_SHARE ? CODES.forgets : CODES.remembers,
      inputs: random.next() < LONG_SHARE ? LONG : SHORT,
      node: random.between(0, NODES),
      thinkMs: random.between(100, 1_500),
      isImpatient: random.next() < IMPATIENT_SHARE && wire !== "kairos",
      isAfterwards: index >= sessions - AFTERWARDS,
    };
  });
}

/** Each kind of fault spread evenly over the run, the moment within its share drawn. */
export function planFaults(options: Options): readonly Fault[] {
  const random = createRandom(options.seed + 1);
  const { minutes, budgetMs, store } = options;
  const links: readonly Link[] =
    store === "redis" ? ["redis", "postgres", "ledger"] : ["postgres", "ledger"];
  const lengthMs = minutes * 60_000;
  const spread = (count: number, draw: (atMs: number, index: number) => Fault): Fault[] =>
    Array.from({ length: count }, (_, index) =>
      draw(Math.floor(((index + random.next()) * lengthMs) / count), index),
    );
  const faults = [
    ...spread(options.kills, (atMs, index) => ({
      ...{ type: "kill", atMs, node: (index + random.between(0, 2)) % NODES },
      downMs: random.between(100, 2_000),
    })),
    ...spread(options.stops, (atMs, index) => ({
      ...{ type: "stop", atMs, node: random.between(0, NODES) },
      // A lease outlives the budget by 2 s: every fourth is still asleep then.
      forMs: index % 4 === 3 ? budgetMs + 3_000 : random.between(300, 3_000),
    })),
    ...spread(options.postgresKills, (atMs) => ({
      ...{ type: "kill_server", server: "postgres", atMs, downMs: random.between(200, 3_000) },
    })),
    ...spread(options.redisKills, (atMs) => ({
      ...{ type: "kill_server", server: "redis", atMs, downMs: random.between(200, 3_000) },
    })),
    ...spread(options.cuts, (atMs, index) => {
      const where = { atMs, link: random.pick(links), node: random.between(0, NODES) };
      if (index % 3 === 0) return { type: "sever", ...where };
      const type = index % 3 === 1 ? "slow" : "stall";
      return { type, ...where, forMs: random.between(300, type === "slow" ? 4_000 : 2_000) };
    }),
  ] as Fault[];
  return faults.sort((left, right) => left.atMs - right.atMs);
}

/** Minute, second and millisecond, as in the stories of sessions. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(14, -1);
}
