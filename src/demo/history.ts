/**
 * The outside of a backend that is told all that was typed so far and answers "CON" or "END" and
 * a screen: Africa's Talking's callback and IXO's, which differ in how the fields are written.
 *
 * The history says where a subscriber is, so that no session is kept and none can expire between
 * two of its turns; what an answer brings about is the menu's to do once.
 */
import { serveText, type TextAnswer, type TextRequest } from "./serve.ts";

export type HistoryRequest = {
  readonly sessionId: string;
  readonly phoneNumber: string;
  readonly text: string;
  /** `text`, input by input. */
  readonly inputs: readonly string[];
};
export type Screen = { readonly text: string; readonly ended: boolean };

export type HistoryMenu = {
  readonly path: string;
  readonly textCharsMax: number;
  readonly readField: (body: string) => (name: string) => unknown;
  readonly answer: (request: HistoryRequest) => Screen;
};
export type ServedMenu = { readonly callbackUrl: string; readonly close: () => Promise<void> };

export async function serveHistoryMenu(menu: HistoryMenu): Promise<ServedMenu> {
  const { url, close } = await serveText((request) => answerHttp(menu, request));
  return { callbackUrl: `${url}${menu.path}`, close };
}

/** "1*2" is 1, then 2; a star that was typed stands between two that join: "1**" is 1, then *. */
export function inputsOf(text: string): readonly string[] {
  if (text === "") return [];
  const parts = text.split("*");
  const inputs: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const isStar = parts[index] === "" && parts[index + 1] === "";
    inputs.push(isStar ? "*" : (parts[index] ?? ""));
    if (isStar) index += 1;
  }
  return inputs;
}

const ID_CHARS_MAX = 100;

function answerHttp(menu: HistoryMenu, { method, path, text: body }: TextRequest): TextAnswer {
  if (path === "/health" && method === "GET") return plain(200, "OK");
  if (path !== menu.path) return plain(404, `POST ${menu.path}`);
  if (method !== "POST") return plain(405, "the method must be POST");
  const field = menu.readField(body);
  const [sessionId, phoneNumber, text = ""] = ["sessionId", "phoneNumber", "text"].map(field);
  if (!isText(sessionId, 1, ID_CHARS_MAX)) return refusal("sessionId");
  if (!isText(phoneNumber, 1, ID_CHARS_MAX)) return refusal("phoneNumber");
  if (!isText(text, 0, menu.textCharsMax)) return refusal("text");
  const screen = menu.answer({ sessionId, phoneNumber, text, inputs: inputsOf(text) });
  return plain(200, `${screen.ended ? "END" : "CON"} ${screen.text}`);
}

function isText(value: unknown, charsMin: number, charsMax: number): value is string {
  return typeof value === "string" && value.length >= charsMin && value.length <= charsMax;
}

function refusal(field: string): TextAnswer {
  return plain(400, `END Invalid request: ${field}`);
}

function plain(status: number, text: string): TextAnswer {
  return { status, contentType: "text/plain; charset=utf-8", text };
}
