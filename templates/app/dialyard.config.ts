/** The gateway of `npm start`. All settings: node_modules/dialyard/docs/configuration.md */
import { defineConfig, inGateway } from "dialyard";
import { app } from "./src/app.ts";

export const config = defineConfig({
  demo: false,
  apps: [inGateway(app, { service_code: "*123#" })],
});
