/** Sessions that a database holds without being able to read them. */
import type { AppStore } from "../app/store.ts";
import { createSealer } from "../stores/seal.ts";

/**
 * Any store, with each state sealed by AES-256-GCM and tied to its session. The first key seals,
 * all of them open: a new key goes in front, and the old one stays until its sessions are over.
 * @example
 * const keys = [Buffer.from(process.env.STATE_KEY, "base64")]; // 32 octets each
 * const store = sealedAppStore(await redisAppStore({ url }), keys);
 */
export function sealedAppStore(store: AppStore, keys: readonly Buffer[]): AppStore {
  const sealer = createSealer(keys);
  return {
    ...store,
    async open(ask) {
      const held = await store.open(ask);
      if (held.type === "busy" || held.state === undefined) return held;
      return { ...held, state: sealer.open(held.state, ask.key) };
    },
    settle: (lease, settlement) =>
      store.settle(lease, { ...settlement, state: sealer.seal(settlement.state, lease.key) }),
  };
}
