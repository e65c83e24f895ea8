/**
 * What an SMSC means by its "default alphabet" (SMPP 3.4 §5.2.19, data coding 0): GSM 03.38 with a
 * septet in each octet, the same packed, or Latin 1.
 */
export type Alphabet = "gsm7" | "gsm7-packed" | "latin1";
export const ALPHABETS: readonly Alphabet[] = ["gsm7", "gsm7-packed", "latin1"];
