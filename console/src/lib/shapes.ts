/** What the gateway's API answers, as pages read it: the schemas of the server are the source. */
import type { Static } from "typebox";
import type * as schemas from "../../../src/api/schemas.ts";

export type SessionRow = Static<typeof schemas.SessionList>["sessions"][number];
export type SessionPage = Static<typeof schemas.SessionList>;
export type SessionDetail = Static<typeof schemas.SessionShown>;
export type TurnShown = SessionDetail["records"][number];
export type BackendShown = Static<typeof schemas.BackendShown>;
export type ChannelShown = {
  readonly name: string;
  readonly protocol: string;
  readonly provider: string;
  readonly path?: string;
  readonly paths: readonly string[];
  readonly turn_budget_ms: number;
  readonly screen_octets_max: number;
  readonly rejects: readonly {
    readonly status: number;
    readonly reason: string;
    readonly count: number;
    readonly last_at: string;
  }[];
};
