/** What the list of codecs knows of each one before a channel or backend asks for it. */
import type { Codec } from "../types.ts";

export type CodecOptions = Readonly<Record<string, string>>;

export type CodecEntry = {
  readonly name: string;
  /** Every option, so that a misspelt one is refused and `--help` can list them. */
  readonly options: Readonly<Record<string, { readonly default: string; readonly help: string }>>;
  /** Throws an Error that a person can act on when a value is not acceptable. */
  create(options: CodecOptions): Codec;
};
