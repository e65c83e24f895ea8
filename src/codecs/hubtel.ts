/**
 * Hubtel Programmable Services (Ghana), the Service Interaction URL.
 *
 *   in   POST, JSON: SessionId, ServiceCode "713*4", Type "initiation" | "response" | "release" |
 *        "timeout", Message, Operator, Mobile "233…", Sequence 1, ClientState
 *   out  200, JSON: SessionId, Type "response" | "release", Message, Label, DataType, FieldType
 *
 * `Message` is the code as dialled, then the latest answer. Types come in either case, and go back
 * in the same. ClientState is what the application wants to hear again, once, in at most 100
 * characters; MaskNextRoute true hides what is typed next. Payment by AddToCart is Hubtel's
 * checkout and not spoken here (PROTOCOLS 5).
 */
import type { CodecEntry } from "./entry.ts";
import { SERVICE_CODE_OPTION, serviceCodeOptionOf } from "./fields.ts";
import { createHubtelLike } from "./hubtel-like.ts";

export const hubtel: CodecEntry = {
  name: "hubtel",
  options: { service_code: SERVICE_CODE_OPTION },
  create: ({ service_code = "" }) =>
    createHubtelLike({
      name: hubtel.name,
      serviceCode: serviceCodeOptionOf(service_code, hubtel.name),
      masks: true,
      more: (reply, { SessionId }) => ({
        SessionId,
        Label: "",
        ClientState: "",
        DataType: reply?.action === "continue" ? "input" : "display",
        FieldType: "text",
        ...(reply?.asksSecret === true && { MaskNextRoute: true }),
      }),
    }),
};
