/**
 * Which inputs nobody may read later (RELIABILITY 2.8): what is typed on a screen that mentions a
 * PIN, a password or a one-time code. In doubt it is one: a masked menu choice costs little.
 */

/** Does not keep the length: that of a PIN is a hint. */
export const MASK = "****";

/** Whether the input that follows this screen is secret. `extra` are an operator's own patterns. */
export function asksForSecret(screen: string, extra: readonly RegExp[]): boolean {
  const folded = fold(screen);
  if (SECRET.test(folded)) return true;
  // search() leaves lastIndex alone, so a pattern with the g flag tells the same every time.
  return extra.some((pattern) => screen.search(pattern) >= 0 || folded.search(pattern) >= 0);
}

export function maskInput(input: string, isSecret: boolean): string {
  return isSecret && input !== "" ? MASK : input;
}

// Matched in lower or upper case, with or without the accents, where "_" stands for white space, a
// line break or a hyphen.
const PHRASES = [
  // In all languages. Glued prefixes as in ePIN, mPIN, tPIN (transactions), iPIN (internet).
  "[eimtuv]?pin[12]?s?",
  "p\\.i\\.n",
  "pin_?codes?",
  "puk[12]?",
  "otps?",
  "[tm]otp",
  "cv[vc]2?",

  // English
  "pass_?(?:words?|codes?|phrases?|keys?)",
  "(?:passwd|pwd)",
  "one_?time_(?:access_|security_)?(?:codes?|keys?)",
  "secret_(?:codes?|numbers?|words?|keys?|answers?)",
  "(?:security|verification|confirmation|access|authentication)_(?:codes?|answers?)",
  "(?:authori[sz]ation|auth|login)_codes?",
  "[0-9]_digits?_(?:secret_)?codes?",
  "codes?_(?:we_)?sent",

  // French
  "mots?_de_passe",
  "mdp",
  "codes?_(?:secrets?|confidentiels?|personnels?)",
  "codes?_(?:de_sécurité|de_vérification|de_confirmation|de_validation|d['’]?_?accès)",
  "codes?_(?:à_usage_unique|d['’]?_?authentification)",
  "code_à_[0-9]_chiffres",
  "numéro_(?:secret|confidentiel)",

  // Portuguese
  "senhas?",
  "palavras?_(?:passe|chave|secreta)",
  "códigos?_(?:secretos?|pessoal|pessoais|confidencial)",
  "códigos?_de_(?:segurança|verificação|confirmação|acesso|autenticação|uso_único)",
  "código_(?:de|com)_[0-9]_dígitos",
  "(?:número_secreto|chave_secreta|chave_de_acesso)",

  // Swahili: "ya siri", secret, follows namba, nambari, neno, msimbo and their possessives.
  "nywila",
  "neno_?siri",
  "(?:ya|la|wa|za)_siri",
  "siri_yako",
  "neno_la_(?:kupita|kuingia)",
  "(?:namba|nambari|msimbo|kodi)_(?:[yw]ako_)?[yw]a_(?:uthibitisho|uthibitishaji|usalama)",
];

// Letters after a word make it another, digits and "_" do not: "PIN1" and "NEW_PIN" ask for a PIN.
// "\b" takes half the time of a lookbehind that knows accents. White space is bounded so that no
// screen makes the search slow.
const LETTER = "[a-z\\u00c0-\\u024f]";
const GAP = "(?:[\\s-]{1,3})";
const ACCENTED = ["[aàáâãä]", "[cç]", "[eéèêë]", "[iíìîï]", "[oóòôõö]", "[uúùûü]"];
const SECRET = new RegExp(`(?:\\b|_)(?:${spell(PHRASES.join("|"))})(?!${LETTER})`, "i");

function spell(phrases: string): string {
  const accented = ACCENTED.reduce(
    (text, spellings) => text.replace(new RegExp(`[${spellings.slice(2, -1)}]`, "g"), spellings),
    phrases,
  );
  return accented.replaceAll("_", GAP);
}

// Beyond Latin letters with accents: accents that are characters of their own, invisible
// characters, full-width letters.
const UNUSUAL = /[\u00ad\u0250-\uffff]/;

/** Undoes what would hide a word from the pattern but not from a reader. */
function fold(text: string): string {
  if (!UNUSUAL.test(text)) return text;
  return text.normalize("NFKD").replace(/[\p{Mark}\p{Format}]/gu, "");
}
