/**
 * OLA USSD gateway, callback API.
 *
 *   in   POST, JSON: provider "movitel", msisdn "258…", session_id, transaction_id, input
 *   out  200, JSON: session_id, transaction_id, output (one string a line), end_session
 *
 * `input` is the latest answer, empty on the first dial, but a subscriber can answer with nothing
 * too. The wire carries no service code: a channel has one by option. The test door (OLA API
 * reference, Test USSD Flow) takes it in the body and answers failures as JSON errors.
 */
import { FAILURES, type FailureCode, WireError } from "../core/failure.ts";
import type { Answer, Codec, Dialled, Inbound, Turn, WireReply } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  askInJson,
  bareMsisdnOf,
  dialledOf,
  idOf,
  INPUT_CHARS_MAX,
  labelOf,
  readJson,
  refuseUnknown,
  requireSame,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";

export const ola: CodecEntry = {
  name: "ola",
  options: {
    service_code: SERVICE_CODE_OPTION,
    door: { default: "false", help: '"true": the test door, with service_code in the body' },
  },
  create({ service_code: serviceCode = "", door = "false" }) {
    const dialled = serviceCodeOptionOf(serviceCode, ola.name);
    if (door !== "true" && door !== "false") {
      throw new Error('ola: option "door" must be "true" or "false"');
    }
    return createOla(dialled, door === "true");
  },
};

const DOOR_FIELDS: ReadonlySet<string> = new Set([
  "provider",
  "msisdn",
  "session_id",
  "transaction_id",
  "service_code",
  "input",
]);

function createOla(dialled: Dialled | undefined, isDoor: boolean): Codec {
  return {
    name: ola.name,

    decode(request) {
      const body = readJson(request, "bad_body");
      if (isDoor) refuseUnknown(body, DOOR_FIELDS);
      const sessionId = idOf(body.session_id, "session_id");
      const transactionId = idOf(body.transaction_id, "transaction_id");
      const text = textOf(body.input, "input", INPUT_CHARS_MAX);
      return {
        sessionId,
        msisdn: bareMsisdnOf(body.msisdn, "msisdn"),
        phase: text === "" ? "unknown" : "continue",
        dialled: isDoor ? dialledOf(body.service_code, "service_code") : dialled,
        input: { kind: "latest", text },
        // Providers without such a pair of ids send the session's twice (OLA API contract).
        messageId: transactionId === sessionId ? undefined : transactionId,
        network: labelOf(body.provider, "provider"),
        echo: { session_id: sessionId, transaction_id: transactionId },
      };
    },

    encode(answer, inbound) {
      const { reply, failure } = answer;
      if (isDoor && failure !== undefined && FAILURES[failure].status !== 200) {
        return answerFailure(failure, answer, inbound);
      }
      return answerInJson(200, {
        session_id: inbound.echo.session_id,
        transaction_id: inbound.echo.transaction_id,
        output: reply === undefined ? [] : reply.screen.split("\n"),
        end_session: reply?.action !== "continue",
      });
    },

    request(turn, { method }) {
      const fields = fieldsOf(turn);
      return askInJson(isDoor ? { ...fields, service_code: turn.serviceCode } : fields, method);
    },

    reply(response, turn) {
      const { status } = response;
      // A 500 with a displayable output is a reply too; whether it is shown is decided after
      // the last attempt (OLA API reference, Example 5).
      if (status !== 200 && status !== 201 && status < 500) {
        throw new WireError("bad_reply", `status is ${status}`);
      }
      const body = readJson(response, "bad_reply");
      requireSame(body.session_id, turn.sessionId, "session_id");
      requireSame(body.transaction_id, turn.transactionId, "transaction_id");
      const { end_session: isEnd } = body;
      if (typeof isEnd !== "boolean") {
        throw new WireError("bad_reply", "end_session must be a boolean");
      }
      return { action: isEnd ? "end" : "continue", screen: screenOf(body.output) };
    },
  };
}

function fieldsOf({ provider, msisdn, sessionId, transactionId, input }: Turn) {
  return { provider, msisdn, session_id: sessionId, transaction_id: transactionId, input };
}

function screenOf(output: unknown): string {
  if (!Array.isArray(output)) throw new WireError("bad_reply", "output must be an array");
  let screen = "";
  for (let index = 0; index < output.length; index += 1) {
    const line: unknown = output[index];
    if (typeof line !== "string") throw new WireError("bad_reply", "output must be of strings");
    screen += index === 0 ? line : `\n${line}`;
  }
  if (screen.trim() === "") throw new WireError("bad_reply", "output has nothing to show");
  return screen;
}

/** OLA API reference, Gateway Errors. */
function answerFailure(failure: FailureCode, answer: Answer, inbound: Inbound): WireReply {
  const { status, error } = FAILURES[failure];
  const code = answer.serviceCode ?? inbound.dialled ?? "";
  const message = `${DOOR_MESSAGES[failure]} ${code}`;
  return answerInJson(status, { error, message, service_code: code });
}

/** Each is completed by the service code. */
const DOOR_MESSAGES: Readonly<Record<FailureCode, string>> = {
  backend_not_found: "No backend registered for service code",
  backend_inactive: "Backend is inactive for service code",
  backend_refused_address: "Backend address is not allowed for service code",
  backend_busy: "Backend is busy for service code",
  backend_unreachable: "Backend could not be reached for service code",
  backend_timeout: "Backend request timed out for service code",
  backend_disconnected: "Backend closed the connection without a reply for service code",
  backend_failed: "Backend answered with an error for service code",
  backend_malformed: "Backend reply breaks the contract for service code",
  turn_unsettled: "An earlier attempt has an unknown outcome for service code",
  session_lost: "Session expired or never started for service code",
  session_too_long: "Session has too many turns for service code",
  session_busy: "Session has another request under way for service code",
  message_changed: "transaction_id was used with another input for service code",
  store_unavailable: "Gateway store is not available for service code",
  internal_error: "Gateway internal error for service code",
};
