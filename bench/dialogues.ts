/** The dialogue that every contender is put through: a dial and four answers, the last ends it. */

export const CHANNELS = ["kairos", "africastalking", "ixo"] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** Typed after the dial. The stub ends the dialogue on "9", which is typed nowhere else. */
const INPUTS = ["1", "2", "3", "9"] as const;
export const TURNS = 1 + INPUTS.length;
const HISTORIES = INPUTS.map((_, index) => INPUTS.slice(0, index + 1).join("*"));

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

export type Dialogue = {
  readonly channel: ChannelName;
  readonly serviceCode: string;
};
export type Subscriber = { readonly sessionId: string; readonly digits: string };
export type Body = { readonly type: string; readonly text: string };

/** What the network sends at a turn, counted from 0. */
export function requestBody(
  { channel, serviceCode }: Dialogue,
  { sessionId, digits }: Subscriber,
  turn: number,
): Body {
  switch (channel) {
    case "kairos": {
      const typed = turn === 0 ? serviceCode : INPUTS[turn - 1];
      const text =
        `{"msisdn":"233${digits}","sessionId":"${sessionId}",` +
        `"messageType":"0","ussdString":"${typed ?? ""}"}`;
      return { type: JSON_TYPE, text };
    }
    case "africastalking": {
      const code = encodeURIComponent(serviceCode);
      const history = encodeURIComponent(historyAt(turn));
      const text =
        `sessionId=${sessionId}&serviceCode=${code}` +
        `&phoneNumber=%2B254${digits}&networkCode=63902&text=${history}`;
      return { type: FORM_TYPE, text };
    }
    case "ixo": {
      const text =
        `{"sessionId":"${sessionId}","serviceCode":"${serviceCode}",` +
        `"phoneNumber":"+260${digits}","text":"${historyAt(turn)}"}`;
      return { type: JSON_TYPE, text };
    }
  }
}

function historyAt(turn: number): string {
  return turn === 0 ? "" : (HISTORIES[turn - 1] ?? "");
}

/** True for a body that ends the dialogue: a wrong or failed turn is not counted as a turn. */
export function isEnd(channel: ChannelName, body: string): boolean {
  return channel === "kairos" ? body.includes('"messageType":"2"') : body.startsWith("END ");
}
