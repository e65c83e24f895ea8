/**
 * Dialogues that begin on our side: a screen is sent to a subscriber, and the answer opens an
 * ordinary session with the backend of a service code. The counterpart of gateway.ts: one opening
 * on one screen.
 */
import { asksForSecret } from "./core/redact.ts";
import { fitScreen } from "./core/screen.ts";
import { abortSession, pushedSession } from "./core/turn.ts";
import { type Gateway, nameOf } from "./gateway.ts";
import type {
  Channel,
  Inbound,
  Lease,
  Msisdn,
  Reply,
  ServiceCode,
  Session,
  TurnRecord,
  WireReply,
} from "./types.ts";

export type Delivered =
  | { readonly type: "taken" }
  /** Nothing reached the subscriber, or nobody knows. */
  | { readonly type: "failed"; readonly reason: string };
/** How a channel takes a screen that goes out as a call of ours. Never rejects. */
export type Deliver = (wire: WireReply, deadlineMs: number) => Promise<Delivered>;
export type Push = {
  readonly msisdn: Msisdn;
  readonly serviceCode: ServiceCode;
  readonly reply: Reply;
};
export type Initiated =
  | { readonly type: "sent"; readonly sessionId: string }
  | {
      readonly type: "refused";
      readonly reason: "cannot_push" | "no_backend" | "too_long" | "busy" | "not_taken";
      readonly detail: string;
    };

/** A lease outlives the delivery by this. */
const LEASE_SPARE_MS = 2_000;

export async function initiate(
  gateway: Gateway,
  channel: Channel,
  deliver: Deliver | undefined,
  { msisdn, serviceCode, reply }: Push,
): Promise<Initiated> {
  const { codec, name, provider, screenOctetsMax, transliterate, turnBudgetMs } = channel;
  if (codec.initiate === undefined || deliver === undefined) {
    return refused("cannot_push", `channel ${name} opens no dialogues`);
  }
  const backend = gateway.routes.get(serviceCode);
  if (backend === undefined)
    return refused("no_backend", `nothing is registered for ${serviceCode}`);
  const takes = codec.takesScreen;
  const fitted = fitScreen(reply.screen, { octetsMax: screenOctetsMax, transliterate, takes });
  // Pages need somebody who leafs, and a first screen that is cut says nothing.
  if (fitted.type !== "fits") return refused("too_long", "the text does not fit one screen");
  const shown = { action: reply.action, screen: fitted.screen };
  const freshId = gateway.newSessionId();
  const nonce = freshId.slice("sess_".length);
  const { wire, sessionId } = codec.initiate({ msisdn, serviceCode, reply: shown, nonce });

  const startedAtMs = gateway.nowMs();
  const held = await gateway.store.open({
    key: gateway.keyOf(nameOf(channel, { sessionId, msisdn })),
    freshId,
    msisdn,
    digest: gateway.digest(`push ${freshId}`),
    nowMs: gateway.wallMs(),
    leaseMs: turnBudgetMs + LEASE_SPARE_MS,
  });
  if (held.type === "busy") return refused("busy", "the subscriber is in the middle of a turn");
  const isLive = held.session !== undefined && !held.session.ended;
  if (isLive) {
    await gateway.store.release(held.lease);
    return refused("busy", "the subscriber is in a dialogue");
  }
  const session = pushedSession(
    held.lease.freshId,
    { msisdn, reply: shown },
    {
      networkSessionId: sessionId,
      serviceCode,
      backendId: backend.id,
      provider,
      asksSecret: asksForSecret(shown.screen, gateway.secretPatterns()),
    },
  );
  const delivered = await deliver(wire, startedAtMs + turnBudgetMs);
  const isTaken = delivered.type !== "failed";
  const kept: Session = isTaken ? session : abortSession(session);
  await settle({ gateway, channel, startedAtMs }, held.lease, kept, isTaken ? shown : undefined);
  if (delivered.type === "failed") return refused("not_taken", delivered.reason);
  return { type: "sent", sessionId: session.id };
}

type Opened = {
  readonly gateway: Gateway;
  readonly channel: Channel;
  readonly startedAtMs: number;
};

/** Session and record, as of any turn: operators read what was sent. */
async function settle(
  { gateway, channel, startedAtMs }: Opened,
  lease: Lease,
  session: Session,
  reply: Reply | undefined,
): Promise<void> {
  const tookMs = gateway.nowMs() - startedAtMs;
  const nowMs = gateway.wallMs();
  const record: TurnRecord = {
    outcome: "push",
    startedAtMs: Math.round(nowMs - tookMs),
    tookMs: Math.round(tookMs),
    backendMs: 0,
    input: "",
    screen: reply?.screen ?? "",
    action: reply?.action,
    attempts: [],
    requestOctets: 0,
    replyOctets: 0,
    flaw: undefined,
  };
  const expiresAtMs = nowMs + gateway.sessionTtlMs;
  const settlement = {
    ...{ session, channel: channel.name, record, nowMs, expiresAtMs, isUnread: () => false },
  };
  if (!(await gateway.store.settle(lease, settlement))) return;
  const { msisdn, networkSessionId } = session;
  const inbound: Inbound = {
    ...{ sessionId: networkSessionId, msisdn, phase: "begin", dialled: undefined },
    ...{ input: { kind: "latest", text: "" }, messageId: undefined, network: undefined, echo: {} },
  };
  gateway.observe({ channel, inbound, outcome: "push", session, record, tookMs });
}

function refused(
  reason: Extract<Initiated, { type: "refused" }>["reason"],
  detail: string,
): Initiated {
  return { type: "refused", reason, detail };
}
