/** What a handset itself says, in the language of its SIM. */
import type { Language } from "../i18n/index.ts";

type HandsetWord =
  "dial" | "send" | "code" | "answer" | "running" | "ended" | "dropped" | "lost" | "timeout";

const WORDS: Readonly<Record<Language, Readonly<Record<HandsetWord, string>>>> = {
  en: {
    dial: "Dial",
    send: "Send",
    code: "Code to dial",
    answer: "Your answer",
    running: "USSD code running…",
    ended: "Call ended.",
    dropped: "No signal. The network does not know yet.",
    lost: "Connection problem or invalid MMI code.",
    timeout: "The network gave up waiting. Connection problem or invalid MMI code.",
  },
  fr: {
    dial: "Appeler",
    send: "Envoyer",
    code: "Code à composer",
    answer: "Votre réponse",
    running: "Exécution du code USSD…",
    ended: "Appel terminé.",
    dropped: "Pas de signal. Le réseau ne le sait pas encore.",
    lost: "Problème de connexion ou code IHM non valide.",
    timeout: "Le réseau n'attend plus. Problème de connexion ou code IHM non valide.",
  },
  pt: {
    dial: "Ligar",
    send: "Enviar",
    code: "Código a marcar",
    answer: "A sua resposta",
    running: "A executar o código USSD…",
    ended: "Chamada terminada.",
    dropped: "Sem sinal. A rede ainda não sabe.",
    lost: "Problema de ligação ou código MMI inválido.",
    timeout: "A rede deixou de esperar. Problema de ligação ou código MMI inválido.",
  },
  sw: {
    dial: "Piga",
    send: "Tuma",
    code: "Namba ya kupiga",
    answer: "Jibu lako",
    running: "Msimbo wa USSD unaendeshwa…",
    ended: "Simu imekatika.",
    dropped: "Hakuna mtandao. Mtandao haujui bado.",
    lost: "Tatizo la muunganisho au msimbo wa MMI si sahihi.",
    timeout: "Mtandao umeacha kusubiri. Tatizo la muunganisho au msimbo wa MMI si sahihi.",
  },
};

export function handsetWord(language: Language, word: HandsetWord): string {
  return WORDS[language][word];
}
