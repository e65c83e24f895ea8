/**
 * Answers that come to another node than the one whose turn waits: an application knows one
 * address. They are passed on over what nodes tell each other, and sealed, since a notice passes
 * through a server that writes logs. The application is told what the waiting node says.
 */
import { WireError } from "../core/failure.ts";
import type { AnswerVerdict, Codec, WireReply, WireRequest } from "../types.ts";
import type { Answers, Taken } from "./answers.ts";
import { createDeadlines } from "./deadlines.ts";

export type Passing = {
  /** As Answers.take, of all nodes. */
  readonly take: (codec: Codec, call: WireRequest) => Promise<Taken>;
  /** What a node said, this one too. */
  readonly hear: (text: string) => void;
};
export type PassingOptions = {
  readonly answers: Pick<Answers, "take">;
  /** Undefined where it is no protocol of this node: a newer one asks. */
  readonly codecOf: (protocol: string) => Codec | undefined;
  /** To all nodes; undefined while there is none but this. */
  readonly say: () => ((text: string) => Promise<void>) | undefined;
  readonly sealer: {
    readonly seal: (text: string, place: string) => string;
    readonly open: (sealed: string, place: string) => string;
  };
  readonly newId: () => string;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly report: (error: unknown) => void;
};

/** Of a screen, which has 182 octets: what is more is nobody's. */
const TEXT_CHARS_MAX = 7_000;
/** Applications wait for our reply with a thread of theirs. */
const ANSWER_MS_MAX = 1_000;
const PASSED_MAX = 256;
const PLACE = "passed answer";

type Note =
  | { readonly type: "asked"; readonly id: string; readonly sealed: string }
  | {
      readonly type: "taken";
      readonly id: string;
      readonly verdict: AnswerVerdict;
      readonly reply: WireReply;
    }
  /** The reply was written to the application completely. */
  | { readonly type: "heard"; readonly id: string };

export function createPassing(options: PassingOptions): Passing {
  const { answers, codecOf, say, sealer, newId, nowMs, report } = options;
  const deadlines = createDeadlines({ nowMs });
  const asked = new Map<string, (taken: Taken | undefined) => void>();
  /** Taken here for another node, until the application has heard. */
  const unheard = new Map<string, () => void>();

  const tell = (note: Note): void => {
    say()?.(JSON.stringify(note)).catch(report);
  };

  /** Undefined where no other node has a turn that waits for it. */
  function passOn({ name }: Codec, { body }: WireRequest): Promise<Taken | undefined> {
    const sealed = sealer.seal(JSON.stringify({ protocol: name, body }), PLACE);
    if (asked.size >= PASSED_MAX || sealed.length > TEXT_CHARS_MAX)
      return Promise.resolve(undefined);
    const id = newId();
    return new Promise((resolve) => {
      const done = (taken: Taken | undefined): void => {
        asked.delete(id);
        deadlines.cancel(deadline);
        resolve(taken);
      };
      const deadline = deadlines.add(nowMs() + ANSWER_MS_MAX, () => done(undefined));
      asked.set(id, done);
      tell({ type: "asked", id, sealed });
    });
  }

  function takeFor(id: string, sealed: string): void {
    const { protocol, body } = JSON.parse(sealer.open(sealed, PLACE)) as Record<string, string>;
    const codec = codecOf(protocol ?? "");
    if (codec === undefined || body === undefined) return;
    const call = { method: "POST", path: "", query: "", headers: {}, body };
    const { verdict, reply, heard } = answers.take(codec, call);
    // Who has nothing to do with it is silent: another may be the one.
    if (verdict === "late" || verdict === "refused") return;
    unheard.set(id, heard);
    const [oldest] = unheard.keys();
    if (unheard.size > PASSED_MAX && oldest !== undefined) unheard.delete(oldest);
    tell({ type: "taken", id, verdict, reply });
  }

  return {
    async take(codec, call) {
      const here = answers.take(codec, call);
      if (here.isCertain || say() === undefined) return here;
      return (await passOn(codec, call)) ?? here;
    },
    hear(text) {
      try {
        const note = JSON.parse(text) as Note;
        const { id } = note;
        if (note.type === "heard") {
          unheard.get(id)?.();
          unheard.delete(id);
          return;
        }
        const own = asked.get(id);
        if (note.type === "asked" && own === undefined) return takeFor(id, note.sealed);
        if (note.type !== "taken") return;
        const heard = () => tell({ type: "heard", id });
        own?.({ verdict: note.verdict, reply: note.reply, isCertain: true, heard });
      } catch (error) {
        if (!(error instanceof WireError)) report(error);
      }
    },
  };
}
