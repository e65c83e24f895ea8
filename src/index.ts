/** What a configuration file imports: `import { defineConfig } from "dialyard"`. */
export {
  type AppFile,
  type ChannelFile,
  type ConfigFile,
  defineConfig,
  inGateway,
} from "./config.ts";
export { describeWire, type WireDescription } from "./codecs/index.ts";
