/** What a page reads from the gateway, and reads again when asked. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { get, reasonOf } from "./api.ts";

export type Loaded<T> = {
  readonly value: T | undefined;
  readonly problem: string | undefined;
  readonly status: number | undefined;
  readonly reload: () => void;
};

/** `path` undefined: nothing to read yet. The last value stays while the next is on its way. */
export function useLoad<T>(path: string | undefined, everyMs?: number): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, "reload">>(NOTHING);
  const [count, setCount] = useState(0);
  const reload = useCallback(() => setCount((before) => before + 1), []);

  useEffect(() => setState(NOTHING), [path?.split("?")[0]]);
  useEffect(() => {
    if (path === undefined) return;
    const controller = new AbortController();
    get<T>(path, controller.signal).then(
      (value) => setState({ value, problem: undefined, status: 200 }),
      (error: unknown) => {
        if (controller.signal.aborted) return;
        const { status } = error as { readonly status?: number };
        setState((before) => ({ ...before, problem: reasonOf(error), status }));
      },
    );
    return () => controller.abort();
  }, [path, count]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);
  return { ...state, reload };
}
const NOTHING = { value: undefined, problem: undefined, status: undefined };
