/** `dialyard graph`: an app as a Mermaid flowchart. */
import { say } from "../app/text.ts";
import type { Node, Plan } from "./plan.ts";

/** Screens are nodes, a flow is one box with its steps; dashed is what a handler decides. */
export function graph({ app, nodes }: Plan): string {
  const lines = ["flowchart TD"];
  const ids = new Map([...nodes.keys()].map((name, index) => [name, `s${index}`]));
  const idOf = (name: string): string => ids.get(name) ?? `"${name}?"`;
  lines.push(`  dial(("${escape(app.name)}")) --> ${idOf(app.start)}`);
  for (const [code, to] of app.codes) lines.push(`  dial -->|"${escape(code)}"| ${idOf(to)}`);
  let ends = false;
  for (const node of nodes.values()) {
    const id = idOf(node.name);
    lines.push(...boxOf(node, id, app.locale));
    for (const { to, label, isDynamic } of node.edges) {
      const text = say(label, app.locale);
      const arrow = isDynamic ? "-.->" : "-->";
      lines.push(`  ${id} ${arrow}${text === "" ? "" : `|"${escape(text)}"|`} ${idOf(to)}`);
    }
    if (!leadsToEnd(node)) continue;
    ends = true;
    lines.push(`  ${id} ${node.screen.kind === "flow" ? "-->" : "-.->"} end_`);
  }
  if (ends) lines.push(`  end_(("end"))`);
  return lines.join("\n");
}

function boxOf({ name, screen }: Node, id: string, locale: string): readonly string[] {
  if (screen.kind !== "flow") {
    const { kind, text } = screen.shape;
    const first =
      text === undefined ? "" : `<br/>${escape(say(text, locale).split("\n")[0] ?? "")}`;
    const label = `"${escape(name)}${first}"`;
    return [kind === "input" ? `  ${id}[/${label}/]` : `  ${id}[${label}]`];
  }
  const steps = screen.steps.map(({ key, kind }, index) => {
    const shown = kind === "secret" ? `${key} (secret)` : key.startsWith("$") ? kind : key;
    return { id: `${id}_${index}`, shown };
  });
  return [
    `  subgraph ${id} ["${escape(name)}"]`,
    ...steps.map((step) => `    ${step.id}[/"${escape(step.shown)}"/]`),
    ...steps.slice(1).map((step, index) => `    ${steps[index]!.id} --> ${step.id}`),
    "  end",
  ];
}

function leadsToEnd({ screen, ways }: Node): boolean {
  return screen.kind === "flow" || ways.some(({ ends }) => ends);
}

/** Mermaid reads quotes and angle brackets in labels. */
function escape(text: string): string {
  return text.replaceAll("\n", " ").replaceAll('"', "#quot;").replaceAll("<", "#lt;").trim();
}
