/**
 * Where applications call that answer by a call of their own: one door for each protocol in which
 * they do (PROTOCOLS 3.3). Whose the call is, and whether anybody waits for it, is known in
 * backend/answers.ts; what the bytes say is the codec's.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Taken } from "../backend/answers.ts";
import type { Passing } from "../backend/passing.ts";
import { codecs } from "../codecs/index.ts";
import { WireError } from "../core/failure.ts";
import type { Log } from "../observe/log.ts";
import type { AnswersLater, Codec, WireReply, WireRequest } from "../types.ts";
import { type Door, readBody } from "./door.ts";
import { refusal, writeReply } from "./reply.ts";

export type AnswerDoorsOptions = {
  readonly answers: Pick<Passing, "take">;
  readonly log: Pick<Log, "warn">;
  readonly isDraining: () => boolean;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly report: (error: unknown) => void;
};

/** As of a network's request. */
const BODY_OCTETS_MAX = 8 * 1024;
/** One line says that it happens; there may be many. */
const LOG_EVERY_MS = 1_000;

/** By path. */
export function createAnswerDoors(options: AnswerDoorsOptions): ReadonlyMap<string, Door> {
  const doors = answering().map(({ path, codec, later }) => {
    return [path, createAnswerDoor(codec, later, options)] as const;
  });
  return new Map(doors);
}

/** The protocols that have such a door. */
export function answering(): readonly Answering[] {
  return codecs.flatMap(({ name, create }) => {
    const codec = create({});
    const { answersLater: later } = codec;
    return later === undefined ? [] : [{ path: `/backends/${name}/push`, codec, later }];
  });
}
type Answering = {
  readonly path: string;
  readonly codec: Codec;
  readonly later: AnswersLater;
};

function createAnswerDoor(codec: Codec, later: AnswersLater, options: AnswerDoorsOptions): Door {
  const { answers, log, isDraining, nowMs, report } = options;
  let loggedAtMs = -Infinity;

  function send(response: ServerResponse, reply: WireReply): void {
    writeReply(response, reply, isDraining());
  }
  function refuse(response: ServerResponse, status: number, message: string): void {
    send(response, refusal(status, message, true));
  }
  function note(reason: string): void {
    if (nowMs() - loggedAtMs < LOG_EVERY_MS) return;
    loggedAtMs = nowMs();
    log.warn("answer_not_taken", { reason: `${codec.name}: ${reason}` });
  }

  async function take(call: WireRequest): Promise<Pick<Taken, "reply" | "heard">> {
    try {
      const taken = await answers.take(codec, call);
      if (taken.verdict !== "taken") note(taken.verdict);
      return taken;
    } catch (error) {
      if (!(error instanceof WireError)) report(error);
      note(error instanceof WireError ? error.message : "internal error");
      return { reply: later.acknowledge("malformed"), heard: () => undefined };
    }
  }

  return (request: IncomingMessage, response: ServerResponse, path: string, query: string) => {
    const { method = "" } = request;
    if (method !== "POST") return refuse(response, 405, "use POST");
    if (request.headers["content-encoding"] !== undefined)
      return refuse(response, 415, "content encoding is not accepted");
    readBody(request, BODY_OCTETS_MAX, (body) => {
      if (body.type === "too_large") return refuse(response, 413, "body over 8 KiB");
      if (body.type !== "text") return send(response, later.acknowledge("malformed"));
      const headers = request.headers as WireRequest["headers"];
      void take({ method, path, query, headers, body: body.text }).then(({ reply, heard }) => {
        response.on("finish", heard);
        send(response, reply);
      });
    });
  };
}
