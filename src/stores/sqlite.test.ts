import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { testStore } from "./conformance.ts";
import { createDigest, createSealer } from "./seal.ts";
import { sqliteStore } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "dialyard-sqlite-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

testStore("sqlite", async () => {
  files += 1;
  const options = {
    file: join(directory, String(files), "dialyard.db"),
    sealer: createSealer([Buffer.alloc(32, 1)]),
    digest: createDigest(Buffer.alloc(32, 2)),
  };
  return { store: await sqliteStore(options), restart: () => sqliteStore(options) };
});
