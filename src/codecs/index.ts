/** The list of codecs. Adding one is a file, its vectors, an import and a line here. */
import type { Codec } from "../types.ts";
import { africastalking } from "./africastalking.ts";
import { airtelTz } from "./airtel-tz.ts";
import type { CodecEntry, CodecOptions } from "./entry.ts";
import { ixo } from "./ixo.ts";
import { kairos } from "./kairos.ts";
import { ola } from "./ola.ts";
import { safaricom } from "./safaricom.ts";
import { smpp } from "./smpp.ts";
import { tigoTz } from "./tigo-tz.ts";

export type { CodecEntry, CodecOptions } from "./entry.ts";

export const codecs: readonly CodecEntry[] = [
  ...[ola, africastalking, ixo, kairos],
  ...[airtelTz, safaricom, smpp, tigoTz],
];

export const codecNames: readonly string[] = codecs.map(({ name }) => name);

/** Throws an Error for people: it is configuration that is wrong, not a wire. */
export function createCodec(name: string, options: CodecOptions = {}): Codec {
  const entry = codecs.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new Error(`unknown codec "${name}": there are ${codecNames.join(", ")}`);
  }
  const known = Object.keys(entry.options);
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    const list = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
    throw new Error(`unknown option "${option}" of codec "${name}": ${list}`);
  }
  return entry.create(options);
}
