/** How fast a sweep goes. What has expired is nobody's, so there is time: turns come first. */
import { setTimeout as wait } from "node:timers/promises";

/** After each slice it rests for so many times as long: a quarter of the time is its own. */
const REST = 3;

export async function atLeisure<T>(slice: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const done = await slice();
  await wait(REST * (performance.now() - startMs));
  return done;
}

/** Asked between slices of a sweep: what is left is for the next one. */
export type IsStopping = () => boolean;
export const NEVER: IsStopping = () => false;
