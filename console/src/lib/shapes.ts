/** What the gateway's API answers, as pages read it: the schemas of the server are the source. */
import type { Static } from "typebox";
import type * as health from "../../../src/api/backend-health.ts";
import type * as overview from "../../../src/api/overview.ts";
import type * as schemas from "../../../src/api/schemas.ts";

export type SessionRow = Static<typeof schemas.SessionList>["sessions"][number];
export type SessionPage = Static<typeof schemas.SessionList>;
export type SessionDetail = Static<typeof schemas.SessionShown>;
export type TurnShown = SessionDetail["records"][number];
export type OverviewShown = Static<typeof overview.OverviewShown>;
export type HealthShown = Static<typeof health.HealthList>;
export type BackendShown = Static<typeof schemas.BackendShown>;
export type ChannelShown = {
  readonly name: string;
  readonly protocol: string;
  readonly provider: string;
  readonly path?: string;
  readonly paths: readonly string[];
  readonly turn_budget_ms: number;
  readonly screen_octets_max: number;
  /** When the network called last, since the gateway started; the phone does not count. */
  readonly last_request_at: string | null;
  readonly test_request: {
    readonly method: string;
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  } | null;
  readonly rejects: readonly {
    readonly status: number;
    readonly reason: string;
    readonly count: number;
    readonly last_at: string;
  }[];
};
