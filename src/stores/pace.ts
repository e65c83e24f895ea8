/** How fast a sweep goes. What has expired is nobody's, so there is time: turns come first. */
import { setTimeout as wait } from "node:timers/promises";

/** After each slice it rests for so many times as long: a quarter of the time is its own. */
const REST = 3;
/** Who stops need not wait for the rest. */
const STEP_MS = 100;

/** Asked between slices of a sweep: what is left is for the next one. */
export type IsStopping = () => boolean;
export const NEVER: IsStopping = () => false;

export async function atLeisure<T>(slice: () => Promise<T>, isStopping: IsStopping): Promise<T> {
  const startMs = performance.now();
  const done = await slice();
  const untilMs = performance.now() + REST * (performance.now() - startMs);
  for (let leftMs = 1; leftMs > 0 && !isStopping(); leftMs = untilMs - performance.now())
    await wait(Math.min(STEP_MS, Math.max(1, untilMs - performance.now())));
  return done;
}
