/**
 * Emergent Technology (interpayafrica, Ghana) and Cross-Switch.
 *
 *   in   POST, JSON: SessionId, ServiceCode "713*4", Type "Initiation" | "Response" | "Release" |
 *        "Timeout", Message, Operator, Mobile "233…", Sequence 1, ClientState
 *   out  200, JSON: Type "Response" | "Release", Message, and MaskNextRoute true on Response
 *
 * Hubtel's wire in the main, read from the code of applications (PROTOCOLS 8).
 */
import type { CodecEntry } from "./entry.ts";
import { SERVICE_CODE_OPTION, serviceCodeOptionOf } from "./fields.ts";
import { createHubtelLike } from "./hubtel-like.ts";

export const emergent: CodecEntry = {
  name: "emergent",
  options: { service_code: SERVICE_CODE_OPTION },
  create: ({ service_code = "" }) =>
    createHubtelLike({
      name: emergent.name,
      serviceCode: serviceCodeOptionOf(service_code, emergent.name),
      more: (reply) => (reply?.action === "continue" ? { MaskNextRoute: true } : {}),
    }),
};
