/**
 * Wigal Frog "Smart USSD" (Ghana), versions 1 and 2.
 *
 *   in   1: GET; 2: POST, JSON. network, sessionid, mode "START", "MORE" or "END", msisdn,
 *        userdata, username, trafficid; version 2 may say phonenumber for msisdn
 *   out  1: 200, text: network|mode|msisdn|sessionid|userdata|username|trafficid[|other]
 *        2: 200, JSON: the same object with mode and userdata of ours
 *
 * `other` is an application's own: what it says there comes back with the next request.
 * "^" is the line break. `userdata` of a START is what was dialled, then the latest answer. A page
 * has 160 characters (frog.wigal.com.gh/developers/docs/ussd, and wigalgh's samples).
 */
import { canonicalDialled } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import type { Codec, Dialled, Inbound, Reply, Turn } from "../types.ts";
import type { CodecEntry } from "./entry.ts";
import {
  answerInJson,
  anyMsisdnOf,
  askInJson,
  askInQuery,
  charsAtMost,
  dialStringOf,
  idOf,
  INPUT_CHARS_MAX,
  isFirst,
  jsonToEcho,
  labelOf,
  readJson,
  readQuery,
  requireSame,
  requireSuccess,
  screenOf,
  SERVICE_CODE_OPTION,
  serviceCodeOptionOf,
  textOf,
} from "./fields.ts";

const PHASES: Readonly<Record<string, Inbound["phase"]>> = {
  ...{ START: "begin", MORE: "continue", END: "abort" },
};
const PAGE_CHARS_MAX = 160;
const MEMO_CHARS_MAX = 2_000;
const TEXT = { "content-type": "text/plain; charset=utf-8" };
const PIPED = ["network", "mode", "msisdn", "sessionid", "userdata", "username", "trafficid"];

export const wigal: CodecEntry = {
  name: "wigal",
  options: {
    version: { default: "2", help: "of their API: 1 or 2" },
    service_code: SERVICE_CODE_OPTION,
    username: { default: "dialyard", help: "username that backends are told" },
  },
  create({ version = "2", service_code: code = "", username = "dialyard" }) {
    if (version !== "1" && version !== "2") {
      throw new Error('wigal: option "version" must be "1" or "2"');
    }
    const dialled = serviceCodeOptionOf(code, wigal.name);
    return version === "1" ? createPiped(dialled, username) : createEchoing(dialled, username);
  },
};

function createPiped(code: Dialled | undefined, username: string): Codec {
  return {
    name: wigal.name,
    methods: ["GET"],
    takesScreen: charsAtMost(PAGE_CHARS_MAX),
    carriesDialledDigits: true,

    decode(request) {
      const query = readQuery(request);
      const names = [...PIPED, ...(query.has("other") ? ["other"] : [])];
      const echo = names.map((name) => [name, (query.get(name) ?? "").replaceAll("|", "/")]);
      return readSaid(Object.fromEntries(query), Object.fromEntries(echo) as Echo, code);
    },

    encode({ reply }, { echo }) {
      // The wire frames with "|", so a screen has "/" for it.
      const userdata = pageOf(reply).replaceAll("|", "/");
      const { other, ...said } = { ...echo, mode: modeOf(reply), userdata } as Echo;
      const fields = PIPED.map((name) => said[name] ?? "");
      const body = [...fields, ...(other === undefined ? [] : [other])].join("|");
      return { status: 200, headers: TEXT, body };
    },

    request: (turn) => askInQuery(fieldsOf(turn, username)),
    notice: (turn, { eventsUrl, url }) => ({
      ...askInQuery(overOf(turn, username)),
      url: eventsUrl ?? url,
    }),

    reply(response, turn) {
      requireSuccess(response);
      const fields = response.body.split("|");
      if (fields.length < PIPED.length) {
        throw new WireError("bad_reply", `body must have ${PIPED.length} fields`);
      }
      const names = [...PIPED, "other"];
      return readAnswer(Object.fromEntries(names.map((name, at) => [name, fields[at]])), turn);
    },
  };
}

function createEchoing(code: Dialled | undefined, username: string): Codec {
  return {
    name: wigal.name,
    takesScreen: charsAtMost(PAGE_CHARS_MAX),
    carriesDialledDigits: true,

    decode: (request) => readSaid(readJson(request, "bad_body"), { body: request.body }, code),

    encode: ({ reply }, { echo }) =>
      answerInJson(200, {
        ...jsonToEcho(echo.body ?? "{}"),
        ...{ mode: modeOf(reply), userdata: pageOf(reply) },
      }),

    request(turn, { method }) {
      // Wigal's sample reads the one, its table names the other.
      return askInJson({ ...fieldsOf(turn, username), phonenumber: turn.msisdn }, method);
    },
    notice: (turn, { eventsUrl, url, method }) => ({
      ...askInJson({ ...overOf(turn, username), phonenumber: turn.msisdn }, method),
      url: eventsUrl ?? url,
    }),

    reply(response, turn) {
      requireSuccess(response);
      return readAnswer(readJson(response, "bad_reply"), turn);
    },
  };
}

type Echo = Readonly<Record<string, string>>;
type Said = Readonly<Record<string, unknown>>;

/** The case of `mode` differs between their documents and their sample. */
function readSaid(said: Said, echo: Echo, code: Dialled | undefined): Inbound {
  const mode = textOf(said.mode, "mode", INPUT_CHARS_MAX).toUpperCase();
  const phase = Object.hasOwn(PHASES, mode) ? PHASES[mode] : undefined;
  if (phase === undefined) throw new WireError("bad_field", "mode must be START, MORE or END");
  const typed = said.userdata ?? (phase === "abort" ? "" : undefined);
  const text = textOf(typed, "userdata", INPUT_CHARS_MAX);
  return {
    sessionId: idOf(said.sessionid, "sessionid"),
    msisdn: anyMsisdnOf(said.msisdn ?? said.phonenumber, "msisdn"),
    phase,
    dialled: (phase === "begin" ? canonicalDialled(text) : undefined) ?? code,
    input: { kind: "latest", text: phase === "continue" ? text : "" },
    messageId: idOf(said.trafficid, "trafficid"),
    network: labelOf(said.network, "network"),
    echo,
  };
}

function modeOf(reply: Reply | undefined): string {
  return reply?.action === "continue" ? "MORE" : "END";
}

function pageOf(reply: Reply | undefined): string {
  return (reply?.screen ?? "").replaceAll("\n", "^");
}

function fieldsOf(turn: Turn, username: string) {
  const isNew = isFirst(turn);
  return {
    ...{ network: turn.provider, sessionid: turn.sessionId, mode: isNew ? "START" : "MORE" },
    ...{ msisdn: turn.msisdn, userdata: isNew ? dialStringOf(turn) : turn.input },
    ...{ username, trafficid: turn.transactionId },
    ...(turn.memo === undefined ? {} : { other: turn.memo }),
  };
}

function overOf(turn: Turn, username: string) {
  return { ...fieldsOf(turn, username), mode: "END", userdata: "" };
}

function readAnswer(said: Said, turn: Turn): Reply {
  requireSame(said.sessionid, turn.sessionId, "sessionid");
  requireSame(said.trafficid, turn.transactionId, "trafficid");
  const mode = typeof said.mode === "string" ? said.mode.toUpperCase() : "";
  if (mode !== "MORE" && mode !== "END") {
    throw new WireError("bad_reply", "mode must be MORE or END");
  }
  const screen = screenOf(said.userdata, "userdata").replaceAll("^", "\n");
  const { other } = said;
  const isMemo = typeof other === "string" && other !== "" && other.length <= MEMO_CHARS_MAX;
  return {
    action: mode === "END" ? "end" : "continue",
    screen,
    ...(isMemo && mode === "MORE" ? { memo: other } : {}),
  };
}
