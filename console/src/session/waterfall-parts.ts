/** A turn's time: the gateway before, each attempt, the waits, the gateway after. Pure. */
import { t, tOr } from "../i18n/index.ts";
import type { TurnShown } from "../lib/shapes.ts";

type Part = {
  readonly kind: "decode" | "attempt" | "failed" | "wait" | "encode";
  readonly startMs: number;
  readonly tookMs: number;
  readonly label: string;
};

export function partsOf(turn: TurnShown): readonly Part[] {
  const parts: Part[] = [];
  let atMs = 0;
  turn.attempts.forEach((attempt, index) => {
    const gapMs = attempt.start_ms - atMs;
    const isFirst = index === 0;
    if (gapMs > 0) {
      const kind = isFirst ? "decode" : "wait";
      parts.push({
        kind,
        startMs: atMs,
        tookMs: gapMs,
        label: t(isFirst ? "partDecode" : "partWait"),
      });
    }
    const { failure, status } = attempt;
    parts.push({
      kind: failure === null ? "attempt" : "failed",
      startMs: attempt.start_ms,
      tookMs: attempt.took_ms,
      label: [
        t("partAttempt", { n: index + 1 }),
        ...(status === null ? [] : [status]),
        ...(failure === null ? [] : [tOr(`outcome_${failure}`, failure)]),
      ].join(" · "),
    });
    atMs = attempt.start_ms + attempt.took_ms;
  });
  const leftMs = turn.took_ms - atMs;
  if (leftMs > 0) {
    parts.push({ kind: "encode", startMs: atMs, tookMs: leftMs, label: t("partEncode") });
  }
  return parts;
}
