/** The streams of a terminal or a pipe, as the phone wants them. */
import { createInterface } from "node:readline";
import type { DialIo } from "./dial.ts";

type Streams = {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream;
};

/** For main.ts: `terminalIo(process)`. The terminal itself edits the line and hears Ctrl-D. */
export function terminalIo({ stdin, stdout, stderr }: Streams): DialIo {
  return {
    input: linesOf(stdin),
    isTty: stdin.isTTY === true && stdout.isTTY === true,
    write: (text) => void stdout.write(text),
    complain: (text) => void stderr.write(text),
  };
}

/** Listens only once somebody reads, so that no line is lost. */
async function* linesOf(stdin: NodeJS.ReadableStream): AsyncGenerator<string> {
  const reader = createInterface({ input: stdin, terminal: false });
  try {
    yield* reader;
  } finally {
    reader.close();
    stdin.pause();
  }
}

/**
 * One line that is not shown while it is typed; from a pipe, its first line. Undefined where there
 * is none: the end, or Ctrl-C.
 */
export async function readHidden(
  { stdin, stderr }: Pick<NodeJS.Process, "stdin" | "stderr">,
  prompt: string,
): Promise<string | undefined> {
  if (!stdin.isTTY) {
    for await (const line of linesOf(stdin)) return line;
    return undefined;
  }
  // Before it is asked for: the terminal itself shows what comes sooner.
  stdin.setRawMode(true).setEncoding("utf8");
  stderr.write(prompt);
  return new Promise((done) => {
    let typed = "";
    const end = (line: string | undefined) => {
      stdin.off("data", take).setRawMode(false).pause();
      stderr.write("\n");
      done(line);
    };
    const take = (chunk: string) => {
      for (const one of chunk) {
        if (one === "\r" || one === "\n") return end(typed);
        if (one === CTRL_C || one === CTRL_D) return end(undefined);
        typed = one === DELETE || one === "\b" ? [...typed].slice(0, -1).join("") : typed + one;
      }
    };
    stdin.on("data", take).resume();
  });
}
const [CTRL_C, CTRL_D, DELETE] = ["\u0003", "\u0004", "\u007f"];
