/** A vault as the check of a flow's secret, with what the subscriber reads. */
import { bad, type Parsed, stop } from "./answers.ts";
import type { Answers, Check } from "./flow.ts";
import type { PinVault, PinVerdict } from "./pins.ts";
import { catalog, type Text } from "./text.ts";

export type PinTexts = {
  readonly wrong: (values: { readonly n: number }) => Text;
  readonly locked: (values: { readonly minutes: number }) => Text;
  readonly unset: () => Text;
  readonly busy: () => Text;
};

/** All within GSM-7. */
const TEXTS: PinTexts = catalog({
  en: {
    wrong: { one: "Incorrect PIN. {n} attempt left.", other: "Incorrect PIN. {n} attempts left." },
    locked: "PIN locked. Try again in {minutes:number} min.",
    unset: "You have no PIN yet.",
    busy: "Busy. Please try again in a moment.",
  },
  fr: {
    wrong: { one: "PIN incorrect. Reste {n} essai.", other: "PIN incorrect. Restent {n} essais." },
    locked: "PIN bloqué. Réessayez dans {minutes:number} min.",
    unset: "Vous n'avez pas encore de PIN.",
    busy: "Service occupé. Réessayez dans un instant.",
  },
  pt: {
    wrong: { one: "PIN errado. Resta {n} tentativa.", other: "PIN errado. Restam {n} tentativas." },
    locked: "PIN bloqueado. Tente de novo dentro de {minutes:number} min.",
    unset: "Ainda sem PIN.",
    busy: "Ocupado. Tente de novo daqui a pouco.",
  },
  sw: {
    wrong: { other: "PIN si sahihi. Umebakiwa na majaribio {n}." },
    locked: "PIN imefungwa. Jaribu tena baada ya dakika {minutes:number}.",
    unset: "Bado huna PIN.",
    busy: "Tuna shughuli nyingi. Jaribu tena baada ya muda mfupi.",
  },
});
const MINUTE_MS = 60_000;

/**
 * Verifies the PIN of the subscriber on the phone: a wrong one is asked for again while attempts
 * are left, and the last one ends the session.
 * @example
 * .secret("pin", "Enter PIN:", pinCheck(pins))
 */
export function pinCheck<C>(
  pins: PinVault,
  texts: Partial<PinTexts> = {},
): Check<Answers, C, true> {
  const says = { ...TEXTS, ...texts };
  return async (pin, _v, _ctx, turn) =>
    answerTo(await pins.verify(turn.msisdn, pin), says, turn.nowMs);
}

function answerTo(verdict: PinVerdict, says: PinTexts, nowMs: number): Parsed<true> {
  const locked = (untilMs: number) =>
    stop(says.locked({ minutes: Math.max(1, Math.ceil((untilMs - nowMs) / MINUTE_MS)) }));
  switch (verdict.type) {
    case "right":
      return { type: "ok", value: true };
    case "wrong":
      return verdict.untilMs === undefined
        ? bad(says.wrong({ n: verdict.left }))
        : locked(verdict.untilMs);
    case "locked":
      return locked(verdict.untilMs);
    case "unset":
      return stop(says.unset());
    case "busy":
      return bad(says.busy());
  }
}
