/** What the vault's texts in the store say. */

/** Of a PIN. */
export type PinRow = {
  readonly v: 1;
  readonly sealed: string;
  /** Guesses since the last right one. */
  readonly tries: number;
  /** Locks since the last right one. */
  readonly locks: number;
  /** Locked until; 0 when not. */
  readonly until: number;
};
/** Of a PIN that was chosen and is nobody's yet. */
export type DraftRow = {
  readonly v: 1;
  readonly sealed: string;
  readonly until: number;
  /** Typed twice. */
  readonly same: boolean;
};

export const FRESH = { v: 1, tries: 0, locks: 0, until: 0 } as const;

export function textOf(row: PinRow | DraftRow): string {
  return JSON.stringify(row);
}

export function rowOf<R extends PinRow | DraftRow>(text: string): R {
  const row = JSON.parse(text) as R;
  if (row.v !== 1) throw new Error("a PIN was written by a newer version");
  return row;
}
