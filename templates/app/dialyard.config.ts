/** The gateway of `npm start`. All settings: node_modules/dialyard/docs/configuration.md */
import { defineConfig } from "dialyard";

export const config = defineConfig({
  demo: false,
});
