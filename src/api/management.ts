/** What those who run the gateway do in its console: the parts of the API that need each other. */
import type { FastifyInstance } from "fastify";
import type { Config } from "../config.ts";
import type { Registry } from "../registry.ts";
import type { Settings } from "../settings.ts";
import type { ManagementStore } from "../stores/sql-management.ts";
import { type AccessOptions, guardRoutes } from "./access.ts";
import { auditRoutes, createAudit } from "./audit.ts";
import { createCredentials } from "./credentials.ts";
import { createChangeLog, historyRoutes } from "./history.ts";
import { keyRoutes } from "./keys.ts";
import { createPasswords } from "./passwords.ts";
import { addFirstAdmin, type PeopleOptions, signInRoutes, userRoutes } from "./people.ts";
import { createThrottle } from "./throttle.ts";

const DAY_MS = 86_400_000;

/** Before any route: all that come after are guarded. */
export async function createManagement(
  app: FastifyInstance,
  options: {
    readonly config: Config;
    readonly settings: Settings;
    readonly store: ManagementStore;
    readonly clientAddress: AccessOptions["clientAddress"];
    readonly wallMs: () => number;
  },
) {
  const { config, settings, store, clientAddress, wallMs } = options;
  const { adminKey, publicUrl, adminUser, adminPassword } = config;
  guardRoutes(app, {
    ...{ adminKey, clientAddress, publicUrl },
    credentials: createCredentials(store, wallMs),
  });
  const keepMs = () => settings.privacy().auditDays * DAY_MS;
  const audit = createAudit({ store: store.audit, keepMs, wallMs });
  const noted = createChangeLog(store.changes, audit, wallMs);
  const passwords = createPasswords();
  if (adminUser !== "") {
    const first = { name: adminUser, password: adminPassword };
    const added = await addFirstAdmin(store.users, passwords, first, wallMs());
    if (added) await audit.note("settings", { action: "user.add", target: adminUser });
  }
  const people: PeopleOptions = {
    ...{ users: store.users, audit, passwords, clientAddress, wallMs },
    throttle: createThrottle(wallMs),
  };
  return {
    audit,
    noted,
    routes(api: FastifyInstance, registry: Registry) {
      signInRoutes(api, people);
      userRoutes(api, people);
      keyRoutes(api, { keys: store.keys, audit, wallMs });
      auditRoutes(api, store.audit);
      historyRoutes(api, { registry, changes: store.changes, noted });
    },
  };
}
