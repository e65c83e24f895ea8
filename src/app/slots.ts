/** A few at a time, a few more waiting, and a no for the rest. */
export type Slots = {
  /** Undefined at once when all slots are taken and the queue is full. */
  readonly enter: () => Promise<Leave> | undefined;
};
/** Gives the slot to who waits longest. */
type Leave = () => void;

export function createSlots(slots: number, waitingMax: number): Slots {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
  return {
    enter() {
      if (taken < slots) {
        taken += 1;
        return Promise.resolve(leave);
      }
      if (waiting.length >= waitingMax) return undefined;
      return new Promise((resolve) => waiting.push(() => resolve(leave)));
    },
  };
}
