/**
 * The backend of all contenders, run as a child process: HTTP/1.1 on bare sockets, no parser but
 * indexOf, no JSON. It must cost less than whatever calls it, or the run would measure the stub.
 * It speaks the wire that the request's path names.
 */
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

const HEAD_END = "\r\n\r\n";
const PENDING_OCTETS_MAX = 64 * 1024;
const LINES = ["Benki ya mfano", "1. Salio", "2. Tuma pesa", "3. Lipa bili", "0. Rudi"];
const LAST_LINES = ["Asante.", "Salio lako ni 1,250.50", "Kwaheri."];
const SCREENS = { more: LINES.join("\n"), last: LAST_LINES.join("\n") };

const server = createServer({ noDelay: true }, serve);
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));

function serve(socket: Socket): void {
  let pending = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    pending = pending === "" ? chunk : pending + chunk;
    for (;;) {
      const headEnd = pending.indexOf(HEAD_END);
      if (headEnd === -1) break;
      const end = headEnd + HEAD_END.length + bodyOctets(pending, headEnd);
      if (pending.length < end) break;
      socket.write(answer(pending, headEnd + HEAD_END.length, end), "latin1");
      pending = pending.length === end ? "" : pending.slice(end);
    }
    if (pending.length > PENDING_OCTETS_MAX) socket.destroy();
  });
  socket.on("error", () => socket.destroy());
}

function bodyOctets(text: string, headEnd: number): number {
  let at = text.indexOf("ontent-length: ");
  if (at === -1) at = text.indexOf("ontent-Length: ");
  if (at === -1 || at > headEnd) return 0;
  let octets = 0;
  for (let index = at + "ontent-length: ".length; index < headEnd; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) break;
    octets = octets * 10 + code - 0x30;
  }
  return octets;
}

function answer(text: string, start: number, end: number): string {
  // "9" alone, or as the last of a history: the dialogue's last answer.
  const isLast = hasBefore(text, '"9"', start, end) || hasBefore(text, '*9"', start, end) ||
    text.startsWith("*9", end - 2) || text.startsWith("%2A9", end - 4); // prettier-ignore
  switch (text.charAt("POST /".length)) {
    case "k":
      return asJson(kairosBody(text, start, isLast));
    case "o":
      return asJson(olaBody(text, start, isLast));
    default:
      return isLast ? LAST_TEXT : MORE_TEXT;
  }
}

function hasBefore(text: string, wanted: string, start: number, end: number): boolean {
  const at = text.indexOf(wanted, start);
  return at !== -1 && at < end;
}

/** The string after `"name":"`. */
function valueOf(text: string, name: string, start: number): string {
  const at = text.indexOf(name, start) + name.length;
  return text.slice(at, text.indexOf('"', at));
}

const OLA_MORE = `","output":${JSON.stringify(LINES)},"end_session":false}`;
const OLA_LAST = `","output":${JSON.stringify(LAST_LINES)},"end_session":true}`;

function olaBody(text: string, start: number, isLast: boolean): string {
  const sessionId = valueOf(text, '"session_id":"', start);
  const transactionId = valueOf(text, '"transaction_id":"', start);
  const rest = isLast ? OLA_LAST : OLA_MORE;
  return `{"session_id":"${sessionId}","transaction_id":"${transactionId}${rest}`;
}

const KAIROS_MORE = `","ussdString":${JSON.stringify(SCREENS.more)},"messageType":"0"}`;
const KAIROS_LAST = `","ussdString":${JSON.stringify(SCREENS.last)},"messageType":"2"}`;

function kairosBody(text: string, start: number, isLast: boolean): string {
  const msisdn = valueOf(text, '"msisdn":"', start);
  const sessionId = valueOf(text, '"sessionId":"', start);
  const rest = isLast ? KAIROS_LAST : KAIROS_MORE;
  return `{"msisdn":"${msisdn}","timestamp":"0","sessionId":"${sessionId}${rest}`;
}

const MORE_TEXT = asText(`CON ${SCREENS.more}`);
const LAST_TEXT = asText(`END ${SCREENS.last}`);

function asJson(body: string): string {
  return reply("application/json", body);
}
function asText(body: string): string {
  return reply("text/plain", body);
}
function reply(type: string, body: string): string {
  const length = `content-length: ${body.length}`;
  return `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${length}\r\n\r\n${body}`;
}
