/** What an operator can ask a running gateway about a subscriber, and the screens to expect. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { networks, type Phone } from "./phones.ts";

/** RELIABILITY 2.5, word for word. */
export const SCREENS = {
  notSent: "Service is not available now. Nothing was charged. Please try again.",
  maybeDone: "We are confirming your request. Please do not repeat it. You will get a message.",
  ended: "Session ended. Please dial again.",
  busy: "Service is busy. Nothing was charged. Please try again in a minute.",
  unknownCode: "This code is not in service.",
  wait: "Please wait for the reply and dial again.",
} as const;

export type SessionSummary = {
  readonly id: string;
  readonly channel: string;
  readonly turns: number;
  readonly outcome: string;
};
export type SessionRecord = {
  readonly outcome: string;
  readonly input: string;
  readonly screen: string;
  readonly action: string | null;
  readonly took_ms: number;
  readonly attempts: readonly {
    readonly transaction_id: string;
    readonly start_ms: number;
    readonly took_ms: number;
    readonly status: number | null;
    readonly failure: string | null;
  }[];
};
export type SessionDetail = SessionSummary & { readonly records: readonly SessionRecord[] };

/** Newest first. */
export async function sessionsOf(
  gatewayUrl: string,
  msisdn: string,
): Promise<readonly SessionDetail[]> {
  const page = await readJson(`${gatewayUrl}/api/v1/sessions?msisdn=${msisdn}`);
  const { sessions } = page as { readonly sessions: readonly SessionSummary[] };
  const details = sessions.map(({ id }) => readJson(`${gatewayUrl}/api/v1/sessions/${id}`));
  return (await Promise.all(details)) as SessionDetail[];
}

/** Of a subscriber who has dialled once. */
export async function onlySessionOf(gatewayUrl: string, msisdn: string): Promise<SessionDetail> {
  const sessions = await sessionsOf(gatewayUrl, msisdn);
  const [session] = sessions;
  assert.ok(session, `no session of ${msisdn}`);
  assert.equal(sessions.length, 1);
  return session;
}

async function readJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return response.json();
}

export function phoneOn(
  protocol: string,
  gatewayUrl: string,
  msisdn: string,
  sessionId: string,
): Phone {
  const network = networks[protocol];
  assert.ok(network, `no network ${protocol}`);
  return network(gatewayUrl, msisdn, sessionId);
}

/** Subscribers that no other test of the run has. */
export function createNumbering(prefix: string): () => string {
  let count = 0;
  return () => `${prefix}${String(++count).padStart(12 - prefix.length, "0")}`;
}

export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  msMax = 10_000,
): Promise<void> {
  const endMs = performance.now() + msMax;
  while (!(await isSo())) {
    assert.ok(performance.now() < endMs, `not within ${msMax} ms: ${what}`);
    await wait(10);
  }
}
