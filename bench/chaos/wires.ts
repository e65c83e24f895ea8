/** The networks' side of three wires, written from their documents without the gateway's codecs. */
import type { Wire } from "./plan.ts";

export type Asked = {
  readonly code: string;
  readonly msisdn: string;
  readonly networkId: string;
  /** All that was typed so far; empty for the dial. */
  readonly inputs: readonly string[];
};
export type WireRequest = { readonly path: string; readonly type: string; readonly body: string };
export type Screen = { readonly text: string; readonly isEnd: boolean };

const JSON_TYPE = "application/json";

export function writeRequest(wire: Wire, { code, msisdn, networkId, inputs }: Asked): WireRequest {
  switch (wire) {
    case "kairos": {
      const ussdString = inputs.at(-1) ?? code;
      const body = JSON.stringify({ msisdn, sessionId: networkId, messageType: "0", ussdString });
      return { path: "/ussd/kairos/callback", type: JSON_TYPE, body };
    }
    case "africastalking": {
      const form = { sessionId: networkId, serviceCode: code, phoneNumber: `+${msisdn}` };
      const text = inputs.join("*");
      const body = new URLSearchParams({ ...form, networkCode: "63902", text }).toString();
      return { path: "/api/v1/ussd/", type: "application/x-www-form-urlencoded", body };
    }
    case "ixo": {
      const form = { sessionId: networkId, serviceCode: code, phoneNumber: `+${msisdn}` };
      const body = JSON.stringify({ ...form, text: inputs.join("*") });
      return { path: "/api/ussd", type: JSON_TYPE, body };
    }
  }
}

/** Undefined for what is no screen of that wire. */
export function readScreen(wire: Wire, status: number, body: string): Screen | undefined {
  if (status !== 200) return undefined;
  if (wire !== "kairos") {
    const mark = body.slice(0, 4);
    if (mark !== "CON " && mark !== "END ") return undefined;
    return { text: body.slice(4), isEnd: mark === "END " };
  }
  const { ussdString, messageType } = JSON.parse(body) as Record<string, unknown>;
  if (typeof ussdString !== "string") return undefined;
  return { text: ussdString, isEnd: messageType === "2" };
}

/** What the ledger shows after these inputs: it names the subscriber and all that was done. */
export function screenAfter(msisdn: string, inputs: readonly string[]): string {
  return [`Ledger of ${msisdn}`, ...inputs].join(" > ");
}

/** The gateway's own texts (RELIABILITY 2.5). */
export const TEXTS: ReadonlyMap<string, string> = new Map([
  ["Service is not available now. Nothing was charged. Please try again.", "not_sent"],
  [
    "We are confirming your request. Please do not repeat it. You will get a message.",
    "maybe_done",
  ],
  ["Session ended. Please dial again.", "expired"],
  ["Service is busy. Nothing was charged. Please try again in a minute.", "busy"],
  ["This code is not in service.", "unknown_code"],
  ["Please wait for the reply and dial again.", "wait"],
]);
/** Of those, what promises that this turn did nothing. */
export const SAYS_NOTHING_HAPPENED: ReadonlySet<string> = new Set(["not_sent", "busy"]);
