/** A session from a file: what another gateway exported. It stays in this page. */
import type { SessionDetail } from "./shapes.ts";

const TEXT_CHARS_MAX = 4_000_000;
let imported: SessionDetail | undefined;

/** Undefined where it is an exported session; otherwise the field that is not as it should be. */
export function keepImported(text: string): string | undefined {
  const value = text.length > TEXT_CHARS_MAX ? undefined : parsed(text);
  const wrong = wrongField(value, SESSION, "");
  if (wrong === undefined) imported = value as SessionDetail;
  return wrong;
}

export function importedSession(): SessionDetail | undefined {
  return imported;
}

/** A type, a type that may be null, or a list of rows. */
type Shape = { readonly [field: string]: "string" | "number" | "string?" | "number?" | Shape };
const SESSION: Shape = {
  ...{ id: "string", channel: "string", msisdn: "string", provider: "string" },
  ...{ service_code: "string?", started_at: "string", last_at: "string" },
  ...{ turns: "number", outcome: "string" },
  records: {
    ...{ outcome: "string", started_at: "string", took_ms: "number", backend_ms: "number" },
    ...{ input: "string", screen: "string", action: "string?", flaw: "string?" },
    ...{ request_octets: "number", reply_octets: "number" },
    attempts: {
      ...{ transaction_id: "string", start_ms: "number", took_ms: "number" },
      ...{ status: "number?", failure: "string?" },
    },
  },
};

function wrongField(value: unknown, shape: Shape, at: string): string | undefined {
  if (typeof value !== "object" || value === null) return at === "" ? "JSON" : at;
  for (const [name, wanted] of Object.entries(shape)) {
    const field = (value as Readonly<Record<string, unknown>>)[name];
    const place = at === "" ? name : `${at}.${name}`;
    if (typeof wanted === "string") {
      const isAbsent = wanted.endsWith("?") && field === null;
      if (!isAbsent && typeof field !== wanted.replace("?", "")) return place;
      if (name.endsWith("_at") && Number.isNaN(Date.parse(String(field)))) return place;
      continue;
    }
    if (!Array.isArray(field)) return place;
    for (const [index, row] of field.entries()) {
      const wrong = wrongField(row, wanted, `${place}[${index}]`);
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
