/**
 * Judges a run by three histories that know nothing of each other: what subscribers saw, what the
 * ledger was asked, and what PostgreSQL holds. Pure.
 */
import type { SessionSeen, SlowRequest } from "./callers.ts";
import type { LedgerCall } from "./ledger.ts";
import { CONFIRM } from "./plan.ts";
import { SAYS_NOTHING_HAPPENED, screenAfter } from "./wires.ts";

/** A turn as the records have it. */
export type RecordRow = {
  readonly networkId: string;
  readonly outcome: string;
  readonly screen: string;
};
/** A node that was asleep or being started, in Unix milliseconds. */
export type Away = { readonly node: number; readonly from: number; readonly to: number };
export type Histories = {
  readonly sessions: readonly SessionSeen[];
  readonly slow: readonly SlowRequest[];
  readonly calls: readonly LedgerCall[];
  readonly records: readonly RecordRow[];
  readonly away: readonly Away[];
  readonly budgetMs: number;
  readonly spareMs?: number | undefined;
  /** Last words of nodes that ended though nobody killed them. */
  readonly died: readonly string[];
  /**
   * What the nodes say that Redis lost, where it was killed without a disk: subscribers may start
   * over then, and records be gone, as many as the nodes count (docs/stores.md).
   */
  readonly countedLost?: number | undefined;
  /** Gateways were killed too: what they had settled, and had counted, nobody counts. */
  readonly lostCounters?: boolean | undefined;
};
export type Violation = { readonly rule: string; readonly what: string };
export type Verdict = {
  readonly violations: readonly Violation[];
  /** Screens of the ledger that subscribers saw. */
  readonly accepted: number;
  /** Of those, the ones without a record. */
  readonly missing: number;
  readonly transfers: number;
  readonly ends: Readonly<Record<string, number>>;
  /** Records of turns whose outcome nobody knows. */
  readonly unknown: number;
  /** Calls that the ledger had had before. */
  readonly repeatedCalls: number;
};

/** What a screen may come late by, beyond the budget. */
const SPARE_MS = 250;
/** Ends that no fault of this harness excuses while sessions are on PostgreSQL. */
const NEVER = new Set(["no_answer", "wrong_screen", "wrong_end", "unknown_code"]);

export function judge(histories: Histories): Verdict {
  const { sessions, calls, records, countedLost } = histories;
  const mayLose = countedLost !== undefined;
  const byMsisdn = groupBy(calls, ({ msisdn }) => msisdn);
  const byNetworkId = groupBy(records, ({ networkId }) => networkId);
  const violations: Violation[] = [];
  const ends: Record<string, number> = {};
  let accepted = 0;
  let missing = 0;
  for (const seen of sessions) {
    ends[seen.end] = (ends[seen.end] ?? 0) + 1;
    const own = byMsisdn.get(seen.plan.msisdn) ?? [];
    const turns = byNetworkId.get(seen.plan.networkId) ?? [];
    violations.push(
      ...judgeEnd(seen),
      ...judgeEffects(seen, own, mayLose),
      ...judgeWords(seen, own),
    );
    const kept = judgeRecords(seen, turns);
    if (!mayLose) violations.push(...kept.violations);
    accepted += seen.screens.length;
    missing += kept.missing;
  }
  violations.push(...judgeIds(calls), ...judgeTimes(histories), ...judgeAfterwards(sessions));
  violations.push(...histories.died.map((what) => ({ rule: "node_died", what })));
  const isCounted = histories.lostCounters ? countedLost! <= missing : countedLost === missing;
  if (mayLose && !isCounted)
    violations.push({ rule: "miscounted_loss", what: `${missing} lost, ${countedLost} counted` });
  return {
    violations,
    accepted,
    missing,
    ends,
    transfers: calls.filter(({ input, did }) => input === CONFIRM && did).length,
    unknown: records.filter(({ outcome }) => outcome === "unknown").length,
    repeatedCalls: calls.length - new Set(calls.map(({ transactionId }) => transactionId)).size,
  };
}

function judgeEnd({ plan, end, odd, story }: SessionSeen): readonly Violation[] {
  if (!NEVER.has(end)) return [];
  const seen = odd === undefined ? "" : `: ${odd}`;
  const told = story.map((line) => `\n    ${line}`).join("");
  return [{ rule: end, what: `${plan.wire} ${plan.networkId}${seen}${told}` }];
}

/** Exactly once, and in order: what was done is a beginning of the plan, without a repeat. */
function judgeEffects(
  { plan, end }: SessionSeen,
  own: readonly LedgerCall[],
  mayStartOver: boolean,
): readonly Violation[] {
  const done = own.filter(({ did }) => did).map(({ input }) => input);
  const planned = ["", ...plan.inputs];
  const about = `${plan.wire} ${plan.code} ${plan.networkId}: ${JSON.stringify(done)}`;
  const found: Violation[] = [];
  // A wire that sends all that was typed begins a lost session anew, and does all of it again.
  const mayRepeat = mayStartOver && plan.wire !== "kairos";
  if (!mayRepeat && done.filter((input) => input === CONFIRM).length > 1)
    found.push({ rule: "double_effect", what: about });
  else if (!mayStartOver && done.some((input, index) => input !== planned[index]))
    found.push({ rule: "out_of_order", what: about });
  if (end === "done" && !done.includes(CONFIRM)) found.push({ rule: "lost_transfer", what: about });
  return found;
}

/** "Nothing was charged" is said of no transfer that was made. */
function judgeWords({ plan, screens, end }: SessionSeen, own: readonly LedgerCall[]) {
  if (!SAYS_NOTHING_HAPPENED.has(end) || screens.length !== plan.inputs.length) return [];
  if (!own.some(({ input, did }) => input === CONFIRM && did)) return [];
  return [{ rule: "false_promise", what: `${plan.wire} ${plan.code} ${plan.networkId}` }];
}

/** Each screen that was seen has one record, and a session that is done has no other. */
function judgeRecords({ plan, screens, end }: SessionSeen, turns: readonly RecordRow[]) {
  const kept = turns.filter(({ outcome }) => outcome === "ok").map(({ screen }) => screen);
  const violations: Violation[] = [];
  const what = `${plan.wire} ${plan.networkId}: ${kept.length} records, ${screens.length} screens`;
  const seen = new Set(screens);
  const known = new Set(kept);
  const missing = [...seen].filter((screen) => !known.has(screen)).length;
  if (missing > 0) violations.push({ rule: "lost_record", what });
  if (known.size !== kept.length) violations.push({ rule: "double_record", what });
  if (end === "done" && kept.some((screen) => !seen.has(screen)))
    violations.push({ rule: "surplus_record", what });
  // What nobody saw is at most the turn that was under way.
  const next = screenAfter(plan.msisdn, plan.inputs.slice(0, screens.length));
  if (end !== "done" && kept.some((screen) => !seen.has(screen) && screen !== next))
    violations.push({ rule: "surplus_record", what });
  return { violations, missing };
}

/** No cross-talk: a session is one subscriber's, a transaction one input of one session. */
function judgeIds(calls: readonly LedgerCall[]): readonly Violation[] {
  const owners = new Map<string, string>();
  const meanings = new Map<string, string>();
  return calls.flatMap(({ msisdn, sessionId, transactionId, input }) => {
    const owner = owners.get(sessionId) ?? msisdn;
    owners.set(sessionId, owner);
    const meaning = meanings.get(transactionId) ?? `${sessionId} ${input}`;
    meanings.set(transactionId, meaning);
    return [
      ...(owner === msisdn ? [] : [{ rule: "shared_session", what: sessionId }]),
      ...(meaning === `${sessionId} ${input}`
        ? []
        : [{ rule: "shared_transaction", what: transactionId }]),
    ];
  });
}

/** Faults are over: all is as before, but for what the ledger itself never answers. */
function judgeAfterwards(sessions: readonly SessionSeen[]): readonly Violation[] {
  const ends = sessions.filter(({ plan }) => plan.isAfterwards).map(({ end }) => end);
  const done = ends.filter((end) => end === "done").length;
  if (done * 2 > ends.length || ends.length === 0) return [];
  return [{ rule: "not_recovered", what: `of the last sessions: ${ends.join(", ")}` }];
}

/** Answered within the budget, but for the time that the node was stopped and we ourselves late. */
function judgeTimes({ slow, away, budgetMs, spareMs = SPARE_MS }: Histories): readonly Violation[] {
  return slow.flatMap(({ node, networkId, sentAt, tookMs, answered, lagMs }) => {
    const to = sentAt + tookMs;
    const asleepMs = away
      .filter((one) => one.node === node)
      .reduce(
        (sum, one) => sum + Math.max(0, Math.min(to, one.to) - Math.max(sentAt, one.from)),
        0,
      );
    const lateMs = tookMs - asleepMs - lagMs - budgetMs;
    if (lateMs <= spareMs) return [];
    const how = answered ? "answered" : "not answered";
    const what = `${networkId} on node ${node}: ${how}, ${Math.round(lateMs)} ms beyond the budget`;
    return [{ rule: "late", what }];
  });
}

function groupBy<T>(list: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
