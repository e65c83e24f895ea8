/** The same minimal translation for all contenders but nginx: a Kairos request to OLA and back. */
export type FromNetwork = {
  readonly msisdn: string;
  readonly sessionId: string;
  readonly ussdString: string;
};
export type FromBackend = {
  readonly session_id: string;
  readonly output: readonly string[];
  readonly end_session: boolean;
};

let counted = 0;

export function callbackOf({ msisdn, sessionId, ussdString }: FromNetwork) {
  counted += 1;
  return {
    provider: "kairos",
    msisdn,
    session_id: sessionId,
    transaction_id: `txn_${counted}`,
    input: ussdString.startsWith("*") ? "" : ussdString,
  };
}

export function answerOf({ msisdn, sessionId }: FromNetwork, reply: FromBackend) {
  return {
    sessionId,
    ussdString: reply.output.join("\n"),
    msisdn,
    timestamp: String(Date.now()),
    messageType: reply.end_session ? "2" : "0",
  };
}
