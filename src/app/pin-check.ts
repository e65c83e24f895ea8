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
  readonly malformed: () => Text;
  readonly weak: () => Text;
  readonly exists: () => Text;
  readonly different: () => Text;
  readonly none: () => Text;
};

/** All within GSM-7. */
const TEXTS: PinTexts = catalog({
  en: {
    wrong: { one: "Incorrect PIN. {n} attempt left.", other: "Incorrect PIN. {n} attempts left." },
    locked: "PIN locked. Try again in {minutes:number} min.",
    unset: "You have no PIN yet.",
    busy: "Busy. Please try again in a moment.",
    malformed: "Not a PIN: digits only, and as many as asked for.",
    weak: "Too easy to guess. Choose another PIN.",
    exists: "You have a PIN already.",
    different: "The two PINs differ. Type it again.",
    none: "That took too long. Please start again.",
  },
  fr: {
    wrong: { one: "PIN incorrect. Reste {n} essai.", other: "PIN incorrect. Restent {n} essais." },
    locked: "PIN bloqué. Réessayez dans {minutes:number} min.",
    unset: "Vous n'avez pas encore de PIN.",
    busy: "Service occupé. Réessayez dans un instant.",
    malformed: "PIN non valide : des chiffres, autant que demandé.",
    weak: "Trop facile à deviner. Choisissez un autre PIN.",
    exists: "Vous avez déjà un PIN.",
    different: "Les deux PIN diffèrent. Tapez-le de nouveau.",
    none: "Trop tard. Veuillez recommencer.",
  },
  pt: {
    wrong: { one: "PIN errado. Resta {n} tentativa.", other: "PIN errado. Restam {n} tentativas." },
    locked: "PIN bloqueado. Tente de novo dentro de {minutes:number} min.",
    unset: "Ainda sem PIN.",
    busy: "Ocupado. Tente de novo daqui a pouco.",
    malformed: "PIN errado: use apenas os algarismos pedidos.",
    weak: "Demasiado simples. Escolha outro PIN.",
    exists: "Tem um PIN ativo.",
    different: "Os dois PIN diferem. Escreva de novo.",
    none: "Demorou demais. Comece de novo.",
  },
  sw: {
    wrong: { other: "PIN si sahihi. Umebakiwa na majaribio {n}." },
    locked: "PIN imefungwa. Jaribu tena baada ya dakika {minutes:number}.",
    unset: "Bado huna PIN.",
    busy: "Tuna shughuli nyingi. Jaribu tena baada ya muda mfupi.",
    malformed: "Si PIN: tumia tarakimu tu, kama ulivyoombwa.",
    weak: "Ni rahisi kukisia. Chagua PIN nyingine.",
    exists: "Tayari una PIN.",
    different: "PIN hazilingani. Andika tena.",
    none: "Muda umekwisha. Tafadhali anza upya.",
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

/**
 * The first of two questions for a new PIN. Where the subscriber may have one, ask for that before
 * (`pinCheck`), and say `replace`.
 * @example
 * .secret("pin", "Choose a PIN:", newPin(pins))
 * .secret("again", "Type it again:", samePin(pins))
 * .run(async (_v, _ctx, _key, turn) => {
 *   return (await pins.commit(turn.msisdn)) ? "Your PIN is set." : "Nothing was changed.";
 * })
 */
export function newPin<C>(
  pins: PinVault,
  { replace = false }: { readonly replace?: boolean } = {},
  texts: Partial<PinTexts> = {},
): Check<Answers, C, true> {
  const says = { ...TEXTS, ...texts };
  return async (pin, _v, _ctx, { msisdn }) => {
    const { type } = await pins.propose(msisdn, pin, { replace });
    if (type === "proposed") return { type: "ok", value: true };
    return type === "exists" ? stop(says.exists()) : bad(says[type]());
  };
}

/**
 * The second question for a new PIN; `pins.commit` in `run` makes it the subscriber's.
 * @example
 * .secret("again", "Type it again:", samePin(pins))
 */
export function samePin<C>(pins: PinVault, texts: Partial<PinTexts> = {}): Check<Answers, C, true> {
  const says = { ...TEXTS, ...texts };
  return async (pin, _v, _ctx, { msisdn }) => {
    const { type } = await pins.repeat(msisdn, pin);
    if (type === "same") return { type: "ok", value: true };
    return type === "none" ? stop(says.none()) : bad(says[type]());
  };
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
