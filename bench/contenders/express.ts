/** Express and axios with their defaults, as the OLA integration examples are written. */
import { createRequire } from "node:module";
import type { AddressInfo, Server } from "node:net";
import axios from "axios";
import { answerOf, callbackOf, type FromBackend, type FromNetwork } from "./translate.ts";

/** What is used of it: it brings no types. */
type Express = {
  (): App;
  readonly json: () => Handler;
};
type App = {
  readonly use: (handler: Handler) => void;
  readonly post: (path: string, handler: Handler) => void;
  readonly listen: (port: number, host: string, done: () => void) => Server;
};
type Handler = (
  request: { readonly body: FromNetwork },
  response: { readonly json: (body: unknown) => void },
) => Promise<void>;

const backendUrl = process.argv[2] ?? "";
const express = createRequire(import.meta.url)("express") as Express;

const app = express();
app.use(express.json());
app.post("/ussd/callback", async ({ body: asked }, response) => {
  const { data: reply } = await axios.post<FromBackend>(backendUrl, callbackOf(asked));
  response.json(answerOf(asked, reply));
});

const server = app.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
