/** The app as an HTTP service of its own: behind Dialyard, or behind any gateway that speaks this. */
import { serveApp } from "dialyard/app";
import { app } from "./app.ts";

const { PORT = "8081", HOST = "127.0.0.1", APP_SECRET } = process.env;

const { url, close } = await serveApp(app, {
  protocol: "ola",
  port: Number(PORT),
  hostname: HOST,
  ...(APP_SECRET === undefined ? {} : { secret: APP_SECRET }),
});
console.log(`my-ussd-app listens at ${url}`);

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void close());
