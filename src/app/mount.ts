/** What the HTTP mounts share: from a request as plain values to a reply, in any codec. */
import { createCodec } from "../codecs/index.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, WireReply, WireRequest } from "../types.ts";
import type { App } from "./app.ts";
import { type ContextOption, DEADLINE_MS, dialogueOf, type HostOptions } from "./dialogue.ts";
import { keyedDigest } from "./digest.ts";
import type { AppStore } from "./store.ts";

export const BODY_OCTETS_MAX = 16_384;
/** For the network, after the reply left us. */
const PATIENCE_SPARE_MS = 1_500;

export type WireOption =
  | { readonly codec: Codec }
  | {
      /** Name of one of Dialyard's protocols, and its options. */
      readonly protocol: string;
      readonly protocolOptions?: Readonly<Record<string, string>>;
    };
export type MountOptions<C> = ContextOption<C> &
  HostOptions &
  WireOption & {
    readonly store: AppStore;
    /** Keys the hashes in the store: needed as soon as the store outlives the process. */
    readonly secret?: string;
  };
export type Exchange = (request: WireRequest) => Promise<WireReply>;

/**
 * An app as a function from request to reply, for servers that no mount is made for. Never rejects.
 * @example
 * const exchange = createExchange(app, { protocol: "africastalking", store, context });
 * const request = { method: "POST", path: "", query: "", headers, body };
 * const { status, headers, body } = await exchange(request);
 */
export function createExchange<R, C>(app: App<R, C>, options: MountOptions<C>): Exchange {
  const { secret, deadlineMs = DEADLINE_MS, log = logToConsole } = options;
  const codec =
    "codec" in options ? options.codec : createCodec(options.protocol, options.protocolOptions);
  if (codec.overLink) throw new Error(`${codec.name} is spoken over a link of a gateway, not HTTP`);
  if (codec.pushes !== undefined || codec.keyedById === "answers") {
    throw new Error(`${codec.name} needs a gateway before an app, which pushes and knows who asks`);
  }
  // An app's keys are made of it: the same effect in two dialogues would be one.
  if (codec.namesNoSession) {
    throw new Error(`${codec.name} names no session: put a gateway before the app, which does`);
  }
  if (codec.reusesSessionIds) {
    throw new Error(`${codec.name} uses its session ids again: put a gateway before the app`);
  }
  const patienceMs = (codec.patienceMs ?? Infinity) - PATIENCE_SPARE_MS;
  const dialogue = dialogueOf(app, {
    ...options,
    log,
    digest: keyedDigest(secret),
    deadlineMs: Math.min(deadlineMs, patienceMs),
  });
  const nowMs = options.nowMs ?? Date.now;
  return async (request) => {
    try {
      const said = codec.decode(request);
      const { reply } = await dialogue.take(said);
      const serviceCode = said.dialled;
      return codec.encode({ reply, failure: undefined, serviceCode }, said, nowMs());
    } catch (error) {
      if (error instanceof WireError) return codec.refuse?.(error) ?? refuseInJson(400, error);
      log("an exchange failed", { error });
      return refuseInJson(500, undefined);
    }
  };
}

/** A developer whose handler throws should not have to look for why. */
function logToConsole(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  console.error(message, fields);
}

export function refuseInJson(status: number, error: WireError | undefined): WireReply {
  const what = { error: status === 500 ? "internal_error" : "invalid_request" };
  const body = JSON.stringify(error === undefined ? what : { ...what, message: error.message });
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body };
}
