/**
 * Every way a turn can fail, in one table: may it be tried again, how loud is it, which status do
 * JSON doors give it, and which text does the subscriber read.
 */
export type Language = "en" | "fr" | "pt" | "sw";
export type TextName = keyof typeof TEXTS;
export type RetryClass =
  /** The request provably did not leave. */
  | "not_sent"
  /** Timeout, reset or close before a complete reply: it may have been executed. */
  | "maybe_done"
  /** A complete 5xx reply. */
  | "refused"
  /** A complete reply that breaks the contract: a repeat will not help. */
  | "done_bad"
  /** No attempt was made. */
  | "not_tried";
/** OLA API reference, "Common Error Codes". */
type OlaError =
  | "backend_not_found"
  | "backend_unavailable"
  | "backend_timeout"
  | "invalid_request"
  | "internal_error";

type Failure = {
  readonly class: RetryClass;
  readonly level: "info" | "warn" | "error";
  readonly text: TextName;
  /** What JSON doors answer. */
  readonly status: number;
  readonly error: OlaError;
};

/** "Nothing was charged" is said only where this turn was provably not sent. */
const TEXTS = {
  not_sent: {
    en: "Service is not available now. Nothing was charged. Please try again.",
    fr: "Service indisponible. Rien n'a été débité. Veuillez réessayer.",
    pt: "Serviço indisponível. Nada foi cobrado. Tente novamente.",
    sw: "Huduma haipatikani sasa. Hujatozwa chochote. Tafadhali jaribu tena.",
  },
  maybe_done: {
    en: "We are confirming your request. Please do not repeat it. You will get a message.",
    fr: "Nous vérifions votre demande. Ne la répétez pas. Vous recevrez un message.",
    pt: "Estamos a confirmar o seu pedido. Não o repita. Vai receber uma mensagem.",
    sw: "Tunathibitisha ombi lako. Tafadhali usirudie. Utapokea ujumbe.",
  },
  expired: {
    en: "Session ended. Please dial again.",
    fr: "Session terminée. Veuillez recomposer le code.",
    pt: "Sessão terminada. Marque novamente.",
    sw: "Kipindi kimeisha. Tafadhali piga tena.",
  },
  busy: {
    en: "Service is busy. Nothing was charged. Please try again in a minute.",
    fr: "Service occupé. Rien n'a été débité. Réessayez dans une minute.",
    pt: "Serviço ocupado. Nada foi cobrado. Tente daqui a um minuto.",
    sw: "Huduma ina shughuli nyingi. Hujatozwa. Jaribu tena baada ya dakika moja.",
  },
  unknown_code: {
    en: "This code is not in service.",
    fr: "Ce code n'est pas en service.",
    pt: "Este código não está em serviço.",
    sw: "Namba hii haitumiki.",
  },
  wait: {
    en: "Please wait for the reply and dial again.",
    fr: "Attendez la réponse puis recomposez le code.",
    pt: "Aguarde a resposta e marque novamente.",
    sw: "Tafadhali subiri jibu kisha upige tena.",
  },
} as const satisfies Record<string, Record<Language, string>>;

export const FAILURES = {
  backend_not_found: {
    class: "not_tried",
    level: "warn",
    text: "unknown_code",
    status: 404,
    error: "backend_not_found",
  },
  backend_inactive: {
    class: "not_tried",
    level: "warn",
    text: "not_sent",
    status: 503,
    error: "backend_unavailable",
  },
  backend_refused_address: {
    class: "not_tried",
    level: "error",
    text: "not_sent",
    status: 502,
    error: "backend_unavailable",
  },
  backend_busy: {
    class: "not_tried",
    level: "warn",
    text: "busy",
    status: 503,
    error: "backend_unavailable",
  },
  backend_unreachable: {
    class: "not_sent",
    level: "warn",
    text: "not_sent",
    status: 502,
    error: "backend_unavailable",
  },
  backend_timeout: {
    class: "maybe_done",
    level: "warn",
    text: "maybe_done",
    status: 504,
    error: "backend_timeout",
  },
  backend_disconnected: {
    class: "maybe_done",
    level: "warn",
    text: "maybe_done",
    status: 502,
    error: "backend_unavailable",
  },
  backend_failed: {
    class: "refused",
    level: "warn",
    text: "maybe_done",
    status: 502,
    error: "backend_unavailable",
  },
  backend_malformed: {
    class: "done_bad",
    level: "error",
    text: "maybe_done",
    status: 502,
    error: "backend_unavailable",
  },
  turn_unsettled: {
    class: "not_tried",
    level: "error",
    text: "maybe_done",
    status: 502,
    error: "backend_unavailable",
  },
  session_lost: {
    class: "not_tried",
    level: "info",
    text: "expired",
    status: 200,
    error: "invalid_request",
  },
  session_too_long: {
    class: "not_tried",
    level: "warn",
    text: "expired",
    status: 200,
    error: "invalid_request",
  },
  session_busy: {
    class: "not_tried",
    level: "info",
    text: "wait",
    status: 200,
    error: "invalid_request",
  },
  message_changed: {
    class: "not_tried",
    level: "warn",
    text: "wait",
    status: 422,
    error: "invalid_request",
  },
  store_unavailable: {
    class: "not_tried",
    level: "error",
    text: "not_sent",
    status: 503,
    error: "internal_error",
  },
  internal_error: {
    class: "done_bad",
    level: "error",
    text: "maybe_done",
    status: 500,
    error: "internal_error",
  },
} as const satisfies Record<string, Failure>;
export type FailureCode = keyof typeof FAILURES;

/** The text built in for a failure. At most 160 GSM-7 characters in English. */
export function failureScreen(code: FailureCode, language: Language): string {
  return TEXTS[FAILURES[code].text][language];
}

/** Whether an attempt that failed so may be followed by another of the same turn. */
export function mayRetry(code: FailureCode, idempotent: boolean): boolean {
  const retryClass: RetryClass = FAILURES[code].class;
  if (retryClass === "not_sent") return true;
  return idempotent && (retryClass === "maybe_done" || retryClass === "refused");
}

/** All texts above, for operators to read. */
export function failureTexts(): readonly FailureText[] {
  return Object.entries(TEXTS).flatMap(([name, texts]) =>
    Object.entries(texts).map(([language, text]) => ({
      name: name as TextName,
      language: language as Language,
      text,
    })),
  );
}
export type FailureText = {
  readonly name: TextName;
  readonly language: Language;
  readonly text: string;
};

/** Which of the texts above a screen is, in any language; undefined for all other words. */
export function failureTextOf(screen: string): TextName | undefined {
  return KIND_BY_TEXT.get(screen);
}
const KIND_BY_TEXT: ReadonlyMap<string, TextName> = new Map(
  failureTexts().map(({ name, text }) => [text, name]),
);

/** Something on a wire is not its codec's protocol. Never quotes it: it may hold a PIN. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code:
    | "missing_field"
    | "bad_field"
    | "bad_msisdn"
    | "bad_dialled"
    | "bad_body"
    | "bad_reply"
    | "unknown_field";

  constructor(code: WireError["code"], detail: string) {
    super(detail);
    this.code = code;
  }
}
