/** Which sessions are shown: what the address says, and what the gateway is asked for. */
const FILTERS = ["msisdn", "service_code", "channel", "outcome", "since"] as const;
export type Filter = (typeof FILTERS)[number];
export type Filters = Readonly<Partial<Record<Filter, string>>>;

export const SINCE: Readonly<Record<string, number>> = {
  "15m": 900_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
};

export function filtersOf(query: Readonly<Record<string, string>>): Filters {
  return Object.fromEntries(FILTERS.flatMap((name) => (query[name] ? [[name, query[name]]] : [])));
}

export function addressOf(filters: Filters): string {
  const entries = Object.entries(filters).filter(([, value]) => value !== "");
  return entries.length === 0 ? "" : `?${new URLSearchParams(Object.fromEntries(entries))}`;
}

/** The sessions of a filter, as a query without the page. */
export function queryOf({ since, ...filters }: Filters): URLSearchParams {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== ""));
  const backMs = since === undefined ? undefined : SINCE[since];
  if (backMs !== undefined) query.set("from", new Date(Date.now() - backMs).toISOString());
  return query;
}
