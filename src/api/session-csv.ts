/** The sessions of a filter as a table for a spreadsheet: masked, bounded, read page by page. */
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { maskMsisdn } from "../core/address.ts";
import type { RecordStore, SessionFilter } from "../types.ts";
import type { Audit } from "./audit.ts";
import { closed, ErrorBody, SessionQuery, type SessionQueryValues } from "./schemas.ts";
import { badTimeOf, filterOf, summaryShown } from "./sessions.ts";

export type SessionCsvOptions = {
  readonly records: RecordStore;
  readonly audit: Audit;
  readonly wallMs: () => number;
};

export const CSV_ROWS_MAX = 10_000;
const PAGE_ROWS = 500;
/** A page of a rare filter may be short, or empty: the store looks at so many rows, and no more. */
const PAGES_MAX = 400;
const CsvQuery = Type.Object(Type.Omit(SessionQuery, ["after", "limit"]).properties, closed);
const COLUMNS: readonly (keyof ReturnType<typeof summaryShown>)[] = [
  ...(["id", "started_at", "last_at", "msisdn", "service_code"] as const),
  ...(["channel", "provider", "turns", "outcome"] as const),
];

export function sessionCsvRoutes(app: FastifyInstance, options: SessionCsvOptions): void {
  const { records, audit, wallMs } = options;
  app.get<{ Querystring: Omit<SessionQueryValues, "after" | "limit"> }>(
    "/api/v1/sessions/csv",
    {
      schema: {
        tags: ["operations"],
        summary: `Sessions as CSV, masked, the newest ${CSV_ROWS_MAX}; noted in the audit log`,
        querystring: CsvQuery,
        response: { 400: ErrorBody },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const message = badTimeOf(query);
      if (message !== undefined) return reply.code(400).send({ error: "invalid_request", message });
      const { msisdn, ...rest } = query;
      const after = { ...rest, ...(msisdn !== undefined && { msisdn: maskMsisdn(msisdn) }) };
      await audit.note(request, { action: "sessions.export", target: "CSV", after });
      reply.header("content-type", "text/csv; charset=utf-8");
      reply.header("content-disposition", 'attachment; filename="sessions.csv"');
      reply.header("cache-control", "no-store");
      const filter = { ...filterOf(query, wallMs()), limit: PAGE_ROWS };
      return reply.send(Readable.from(pagesOf(records, filter)));
    },
  );
}

async function* pagesOf(records: RecordStore, filter: SessionFilter): AsyncGenerator<string> {
  yield lineOf(COLUMNS);
  let after: string | undefined;
  let rows = 0;
  for (let pages = 0; pages < PAGES_MAX && rows < CSV_ROWS_MAX; pages++) {
    const page = await records.findSessions(after === undefined ? filter : { ...filter, after });
    yield page.sessions
      .map(summaryShown)
      .map((session) => lineOf(COLUMNS.map((name) => session[name])))
      .join("");
    rows += page.sessions.length;
    after = page.next;
    if (after === undefined) return;
  }
}

/** RFC 4180. */
function lineOf(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/** What a spreadsheet would calculate is a text there: a quote before it says so (OWASP). */
export function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
