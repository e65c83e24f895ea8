/**
 * The application, run as a child process: a ledger that speaks OLA. Behind /remembers a
 * transaction_id does its work once, as the OLA API reference wants it; behind /forgets every call
 * does it again. Writes all it was asked to a file when it is told to.
 */
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CONFIRM, createRandom } from "./plan.ts";
import { screenAfter } from "./wires.ts";

export type LedgerOrder = { readonly type: "report"; readonly file: string };
/** One call as it was asked; `did` where it did its work. */
export type LedgerCall = {
  readonly msisdn: string;
  readonly sessionId: string;
  readonly transactionId: string;
  readonly input: string;
  readonly did: boolean;
};

const calls: LedgerCall[] = [];
const done = new Map<string, string>();
const inputs = new Map<string, string[]>();
const random = createRandom(Number(process.argv[2] ?? 1));

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (body += chunk));
  request.on("end", () => answer(request, response, JSON.parse(body) as Record<string, string>));
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
process.on("message", ({ file }: LedgerOrder) => {
  writeFileSync(file, calls.map((call) => JSON.stringify(call)).join("\n"));
  process.send?.("written");
});

function answer(
  { url = "" }: IncomingMessage,
  response: ServerResponse,
  {
    msisdn = "",
    session_id: sessionId = "",
    transaction_id: id = "",
    input = "",
  }: Record<string, string>,
): void {
  const known = url === "/remembers" ? done.get(id) : undefined;
  let screen = known;
  if (screen === undefined) {
    const before = inputs.get(sessionId) ?? [];
    // The dial is typed nowhere.
    const now = input === "" ? before : [...before, input];
    inputs.set(sessionId, now);
    screen = screenAfter(msisdn, now);
    if (url === "/remembers") done.set(id, screen);
  }
  calls.push({ msisdn, sessionId, transactionId: id, input, did: known === undefined });
  const body = JSON.stringify({
    ...{ session_id: sessionId, transaction_id: id, output: [screen] },
    end_session: input === CONFIRM,
  });
  const draw = random.next();
  // One in 500 never hears from us, one in 100 for a while.
  if (draw < 0.002) return;
  const waitMs = draw < 0.012 ? random.between(500, 3_000) : random.between(2, 40);
  setTimeout(() => {
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  }, waitMs);
}
