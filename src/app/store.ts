/**
 * Where an app keeps its sessions: two round trips a turn, effects included (APP-FRAMEWORK 5). The
 * state is text to a store. `testAppStore` of dialyard/testing is every store's test.
 */

/** The right to take one turn of a session. */
export type AppLease = { readonly key: string; readonly token: string };
export type AppAsk = {
  readonly key: string;
  readonly nowMs: number;
  readonly leaseMs: number;
};
export type AppHeld =
  | {
      readonly type: "leased";
      readonly lease: AppLease;
      /** Undefined when there is none or its time is over. */
      readonly state: string | undefined;
      /** An earlier holder never settled: what it did is unknown. Stays until one settles. */
      readonly lapsed: boolean;
    }
  | { readonly type: "busy" };
export type AppSettlement = {
  readonly state: string;
  readonly nowMs: number;
  readonly expiresAtMs: number;
};

/**
 * A store of app sessions. Anything that can compare and set can be one.
 * @example
 * const store: AppStore = memoryAppStore();
 * const held = await store.open({ key: "bank\ns1", nowMs: Date.now(), leaseMs: 6_000 });
 */
export interface AppStore {
  /** Loads the session and takes its turn lease. Busy while another turn holds it. */
  open(ask: AppAsk): Promise<AppHeld>;
  /** Writes, and gives the lease back. False, and nothing written, when another turn has it. */
  settle(lease: AppLease, settlement: AppSettlement): Promise<boolean>;
  /** Gives a lease back with nothing written: the turn was answered from what is stored. */
  release(lease: AppLease): Promise<void>;
  close(): Promise<void>;
}

/** Changed in place: a turn costs the garbage collector nothing here. */
type Row = {
  state: string | undefined;
  expiresAtMs: number;
  token: string | undefined;
  untilMs: number;
  lapsed: boolean;
};
const ROWS_MAX = 1_000_000;
/** Rows looked at when one is added, round and round; more of them when there is no room. */
const SWEEP_ROWS = 4;
const SWEEP_ROWS_FULL = 1_000;

/** A store that lets a test look at what it holds. */
export type MemoryAppStore = AppStore & {
  /** What is stored under a key, as a database would hold it. */
  readonly peek: (key: string) => string | undefined;
  readonly size: () => number;
};

/**
 * Sessions in memory, gone with the process: for tests, and for one process that may forget.
 * @example
 * serveApp(app, { protocol: "africastalking", port: 8081, store: memoryAppStore() });
 */
export function memoryAppStore(rowsMax: number = ROWS_MAX): MemoryAppStore {
  const rows = new Map<string, Row>();
  let tokens = 0;
  let round = rows.entries();
  const forget = (nowMs: number): void => {
    const count = rows.size < rowsMax ? SWEEP_ROWS : SWEEP_ROWS_FULL;
    for (let looked = 0; looked < count; looked += 1) {
      const { value, done } = round.next();
      if (done === true) {
        round = rows.entries();
        return;
      }
      const [key, row] = value;
      if (isOver(row, nowMs)) rows.delete(key);
    }
  };
  return {
    async open({ key, nowMs, leaseMs }) {
      const row = rows.get(key);
      if (row?.token !== undefined && row.untilMs > nowMs) return { type: "busy" };
      tokens += 1;
      const token = `l${tokens}`;
      const untilMs = nowMs + leaseMs;
      if (row === undefined) {
        forget(nowMs);
        if (rows.size >= rowsMax) throw new Error(`more than ${rowsMax} app sessions`);
        rows.set(key, { state: undefined, expiresAtMs: 0, token, untilMs, lapsed: false });
        return { type: "leased", lease: { key, token }, state: undefined, lapsed: false };
      }
      const isThere = !isOver(row, nowMs);
      row.lapsed = isThere && (row.lapsed || row.token !== undefined);
      if (row.expiresAtMs <= nowMs) row.state = undefined;
      row.token = token;
      row.untilMs = untilMs;
      return { type: "leased", lease: { key, token }, state: row.state, lapsed: row.lapsed };
    },
    async settle({ key, token }, { state, expiresAtMs }) {
      const row = rows.get(key);
      if (row?.token !== token) return false;
      row.state = state;
      row.expiresAtMs = expiresAtMs;
      row.token = undefined;
      row.untilMs = 0;
      row.lapsed = false;
      return true;
    },
    async release({ key, token }) {
      const row = rows.get(key);
      if (row?.token !== token) return;
      if (row.state === undefined && !row.lapsed) rows.delete(key);
      else row.token = undefined;
    },
    close: async () => rows.clear(),
    peek: (key) => rows.get(key)?.state,
    size: () => rows.size,
  };
}

/** How long an unsettled turn is remembered after its lease. */
const LAPSED_KEPT_MS = 300_000;

function isOver({ expiresAtMs, token, lapsed, untilMs }: Row, nowMs: number): boolean {
  if (token === undefined && !lapsed) return expiresAtMs <= nowMs;
  return Math.max(expiresAtMs, untilMs + LAPSED_KEPT_MS) <= nowMs;
}
