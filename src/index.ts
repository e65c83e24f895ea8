/** What a configuration file imports: `import { defineConfig } from "dialyard"`. */
export { defineConfig, type ChannelFile, type ConfigFile } from "./config.ts";
