/** The list of codecs. Adding one is a file, its vectors, an import and a line here. */
import type { Codec } from "../types.ts";
import { africastalking } from "./africastalking.ts";
import { airtelTz } from "./airtel-tz.ts";
import { arkesel } from "./arkesel.ts";
import { beem } from "./beem.ts";
import { cellulant } from "./cellulant.ts";
import { creditswitch } from "./creditswitch.ts";
import { declarative } from "./declarative.ts";
import { dmark } from "./dmark.ts";
import { emergent } from "./emergent.ts";
import type { CodecEntry, CodecOptions } from "./entry.ts";
import { flaresXml } from "./flares-xml.ts";
import { flares } from "./flares.ts";
import { hollatags } from "./hollatags.ts";
import { hubtel } from "./hubtel.ts";
import { imimobile } from "./imimobile.ts";
import { infobip } from "./infobip.ts";
import { ixo } from "./ixo.ts";
import { kairos } from "./kairos.ts";
import { mnotify } from "./mnotify.ts";
import { moolre } from "./moolre.ts";
import { mtech } from "./mtech.ts";
import { mtnMadapi } from "./mtn-madapi.ts";
import { nalo } from "./nalo.ts";
import { nsano } from "./nsano.ts";
import { ola } from "./ola.ts";
import { oltranz } from "./oltranz.ts";
import { restcomm } from "./restcomm.ts";
import { safaricom } from "./safaricom.ts";
import { smpp } from "./smpp.ts";
import { southpawsl } from "./southpawsl.ts";
import { tigoTz } from "./tigo-tz.ts";
import { truroute } from "./truroute.ts";
import { ussdServiceOp } from "./ussd-service-op.ts";
import { viettel } from "./viettel.ts";
import { vodacomMessaging } from "./vodacom-messaging.ts";
import { wigal } from "./wigal.ts";
import { yate } from "./yate.ts";

export type { CodecEntry, CodecOptions } from "./entry.ts";
export { describeWire, type Description as WireDescription } from "./wire-description.ts";

// The first four are those that the product started from.
export const codecs: readonly CodecEntry[] = [
  ...[ola, africastalking, ixo, kairos],
  airtelTz,
  arkesel,
  beem,
  cellulant,
  creditswitch,
  declarative,
  dmark,
  emergent,
  flares,
  flaresXml,
  hollatags,
  hubtel,
  imimobile,
  infobip,
  mnotify,
  moolre,
  mtech,
  mtnMadapi,
  nalo,
  nsano,
  oltranz,
  restcomm,
  safaricom,
  smpp,
  southpawsl,
  tigoTz,
  truroute,
  ussdServiceOp,
  viettel,
  vodacomMessaging,
  wigal,
  yate,
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
