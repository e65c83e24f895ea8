/** A change that the gateway may refuse, and the list that shows it. */
import { useState } from "preact/hooks";
import { call, reasonOf } from "../lib/api.ts";

export function useChange(reload: () => void) {
  const [problem, setProblem] = useState<string | undefined>();
  /** Undefined where it was refused. */
  async function change<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown) {
    try {
      const answer = await call<T>(method, path, body);
      setProblem(undefined);
      reload();
      return answer;
    } catch (error) {
      setProblem(reasonOf(error));
      return undefined;
    }
  }
  return { problem, change };
}
