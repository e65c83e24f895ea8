/**
 * Safaricom USSD, as its gateway asks an application.
 *
 *   in   GET: ORIG "2547…", DEST "167", SESSION_ID, USSD_PARAMS "7*1"
 *   out  200, text/plain: "CON <screen>" to go on, "END <screen>" to close
 *
 * `USSD_PARAMS` is what was dialled after the code and then everything typed, joined by "*"
 * (PROTOCOLS 14.2, from praekelt/vumi's transport).
 */
import { createCumulative } from "./cumulative.ts";
import type { CodecEntry } from "./entry.ts";

export const safaricom: CodecEntry = {
  name: "safaricom",
  options: {},
  create: () => codec,
};

const codec = createCumulative(safaricom.name, {
  method: "GET",
  ...{ sessionId: "SESSION_ID", msisdn: "ORIG", code: "DEST", input: "USSD_PARAMS" },
  codeAs: "bare",
});
