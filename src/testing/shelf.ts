/** What a codec's vectors file says: its exchanges, shared captures, and its provider's settings. */
import type { CodecVector } from "./codec.ts";
import type { GoldenSheet } from "./golden.ts";

/** For the page of a protocol: what a person has to do at the provider's. */
export type Provider = {
  /** "Hubtel (Ghana)". */
  readonly title: string;
  /** Where the address is pasted, and what has to be asked for. Markdown. */
  readonly setUp: string;
  /** Options that a channel cannot do without, or that show what is meant. */
  readonly options?: Readonly<Record<string, string>>;
};
export type Shelf = {
  readonly vectors: readonly CodecVector[];
  readonly golden: readonly GoldenSheet[];
  readonly provider: Provider | undefined;
};

export async function loadShelf(name: string): Promise<Shelf> {
  // In the published package the same files are JavaScript.
  const extension = import.meta.filename.endsWith(".ts") ? "ts" : "js";
  const module = (await import(`../codecs/${name}.vectors.${extension}`)) as Partial<Shelf>;
  const { vectors = [], golden = [{ file: name }], provider } = module;
  return { vectors, golden, provider };
}
