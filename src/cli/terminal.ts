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
