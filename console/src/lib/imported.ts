/** A session from a file: what another gateway exported. It stays in this page. */
import type { SessionDetail } from "./shapes.ts";

let imported: SessionDetail | undefined;

/** False where the text is no exported session. */
export function keepImported(text: string): boolean {
  try {
    const value = JSON.parse(text) as Partial<SessionDetail>;
    const isSession = typeof value.id === "string" && Array.isArray(value.records);
    if (isSession) imported = value as SessionDetail;
    return isSession;
  } catch {
    return false;
  }
}

export function importedSession(): SessionDetail | undefined {
  return imported;
}
