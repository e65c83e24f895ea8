/** The yardstick: node:http and undici.request, what the translation needs and nothing else. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { answerOf, callbackOf, type FromBackend, type FromNetwork } from "./translate.ts";

const backendUrl = process.argv[2] ?? "";
const HEADERS = { "content-type": "application/json" };

const server = createServer((incoming, response) => {
  let text = "";
  incoming.setEncoding("utf8");
  incoming.on("data", (chunk: string) => (text += chunk));
  incoming.on("end", () => void answer(text, response));
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));

async function answer(text: string, response: ServerResponse): Promise<void> {
  const asked = JSON.parse(text) as FromNetwork;
  const body = JSON.stringify(callbackOf(asked));
  const replied = await request(backendUrl, { method: "POST", headers: HEADERS, body });
  const reply = (await replied.body.json()) as FromBackend;
  const answered = JSON.stringify(answerOf(asked, reply));
  response.writeHead(200, { ...HEADERS, "content-length": Buffer.byteLength(answered) });
  response.end(answered);
}
