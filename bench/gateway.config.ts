/** The gateway as it comes, but for one limit: all of the load comes from one address. */
import { defineConfig } from "../src/config.ts";

export const config = defineConfig({
  channels: { ixo: { protocol: "ixo", requestsPerMinuteMax: 0 } },
});
