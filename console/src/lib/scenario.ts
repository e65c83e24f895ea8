/** A conversation as a scenario file: what `dialyard test` runs (docs/scenarios.md). */

export type Recorded = {
  readonly typed: string;
  readonly isSecret: boolean;
  readonly screen: string;
  readonly isEnd: boolean;
};
export type Recording = {
  readonly name: string;
  readonly msisdn: string;
  readonly dialled: string;
  readonly channel: string;
  /** The first is what the dial brought. */
  readonly steps: readonly Recorded[];
};

export function scenarioText({ name, msisdn, dialled, channel, steps }: Recording): string {
  const lines = [
    `name: ${JSON.stringify(name)}`,
    `dial: ${JSON.stringify(dialled)}`,
    `msisdn: ${JSON.stringify(msisdn)}`,
    `channel: ${channel}`,
    "steps:",
  ];
  steps.forEach(({ typed, isSecret, screen, isEnd }, index) => {
    const marks = [];
    if (index > 0) marks.push(isSecret ? "secret: pin" : `send: ${JSON.stringify(typed)}`);
    marks.push(`expect: ${blockOf(screen)}`);
    if (isEnd) marks.push("end: true");
    lines.push(...marks.map((mark, at) => `${at === 0 ? "  - " : "    "}${mark}`));
  });
  return `${lines.join("\n")}\n`;
}

/** Lines as they are where YAML keeps them so; else one quoted string. */
function blockOf(screen: string): string {
  const isPlain = /^\S/.test(screen) && !/[\t\r\u0085\u2028\u2029]|[ \n]$/.test(screen);
  if (!isPlain) return JSON.stringify(screen);
  const indented = screen.split("\n").map((line) => (line === "" ? "" : `        ${line}`));
  return ["|-", ...indented].join("\n");
}
