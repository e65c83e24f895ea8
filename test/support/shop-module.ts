/** An app with a star code of its own, and one that is resumed by number. */
import { ok, ussd } from "../../src/app/index.ts";

const u = ussd<{ main: object; order: object }>();
const main = u.menu({ title: "Shop", items: [{ label: "Order", to: "order" }] });
const order = u
  .flow()
  .ask("what", "What?", (raw) => ok(raw))
  .ask(
    "many",
    (v) => `How many ${v.what}?`,
    (raw) => ok(raw),
  )
  .confirm((v) => `${v.many} ${v.what}?`)
  .run((v) => `Ordered: ${v.many} ${v.what}`);
const screens = { main, order };

export const app = u.app({ name: "shop", start: "main", screens, codes: { "*366*7#": "order" } });
export const resumed = u.app({
  name: "resumed",
  start: "main",
  screens,
  resume: { mode: "continue", withinMs: 600_000 },
});
