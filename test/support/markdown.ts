/** Code blocks of a page, as files: "```ts file=src/app.ts". */

export type CodeBlock = {
  readonly language: string;
  /** As the page names it, for others to import; undefined where it does not. */
  readonly file: string | undefined;
  /** The page says that it is not whole: "```ts fragment". */
  readonly isFragment: boolean;
  readonly line: number;
  readonly code: string;
};

export function codeBlocks(page: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = page.split("\n");
  let open: { readonly info: string; readonly line: number } | undefined;
  for (const [index, text] of lines.entries()) {
    if (!text.startsWith("```")) continue;
    if (open === undefined) {
      open = { info: text.slice(3).trim(), line: index + 1 };
      continue;
    }
    const [language = "", ...words] = open.info.split(/\s+/);
    const file = words.find((word) => word.startsWith("file="))?.slice("file=".length);
    const code = `${lines.slice(open.line, index).join("\n")}\n`;
    blocks.push({ language, file, isFragment: words.includes("fragment"), line: open.line, code });
    open = undefined;
  }
  return blocks;
}
