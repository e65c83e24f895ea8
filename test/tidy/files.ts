/** The project's files as the tidy test reads them. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What git ignores, and git itself. */
const NOT_OURS = new Set([".git", "node_modules", "data", "dist", ".DS_Store"]);

export type TextFile = { readonly path: string; readonly text: string };
export type SourceFile = TextFile & {
  /** The text with comments blanked, line for line: a comment may say what code may not. */
  readonly code: string;
  readonly lines: readonly string[];
  readonly tree: ts.SourceFile;
};

/** Every text file of the project, with "/" in its path. */
export function readTextFiles(): readonly TextFile[] {
  return listFiles("").flatMap((file) => {
    const bytes = readFileSync(path.join(ROOT, file));
    return bytes.includes(0) ? [] : [{ path: file, text: bytes.toString("utf8") }];
  });
}

export function parseSource({ path: file, text }: TextFile): SourceFile {
  const kind = file.endsWith(".tsx") ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, kind);
  return { path: file, text, tree, code: blankComments(tree), lines: text.split("\n") };
}

/** Line numbers start at 1. */
export function lineAt(file: SourceFile, position: number): number {
  return file.tree.getLineAndCharacterOfPosition(position).line + 1;
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

export type Found<T> = { readonly line: number; readonly value: T };

/** Contents of string literals and of templates without holes, module specifiers included. */
export function stringsOf(file: SourceFile): readonly Found<string>[] {
  const found: Found<string>[] = [];
  walk(file.tree, (node) => {
    if (ts.isStringLiteralLike(node)) {
      found.push({ line: lineAt(file, node.getStart()), value: node.text });
    }
  });
  return found;
}

/** Module specifiers of imports, exports and `import(…)`, type-only ones included. */
export function importsOf(
  file: SourceFile,
  { types }: { readonly types: boolean } = { types: true },
): readonly Found<string>[] {
  const found: Found<string>[] = [];
  const add = (specifier: ts.Node | undefined): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    found.push({ line: lineAt(file, specifier.getStart()), value: specifier.text });
  };
  walk(file.tree, (node) => {
    if (!types && ts.isImportDeclaration(node) && isTypeOnly(node)) return;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal);
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0]);
    }
  });
  return found;
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  return importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

/** "./x.ts" as written in `from`, relative to the root; undefined for packages. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return path.posix.join(path.posix.dirname(from), specifier);
}

/** "@scope/name" of "@scope/name/part". */
export function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** A named function inside another is measured by itself; a callback counts with its caller. */
export function functionsOf(file: SourceFile): readonly Found<{ name: string; lines: number }>[] {
  const found: Found<{ name: string; lines: number }>[] = [];
  walk(file.tree, (node) => {
    const name = functionName(node);
    if (name === undefined) return;
    const line = lineAt(file, node.getStart());
    found.push({ line, value: { name, lines: ownLines(file, node) } });
  });
  return found;
}

function ownLines(file: SourceFile, whole: ts.Node): number {
  let lines = span(file, whole);
  const subtract = (node: ts.Node): void => {
    if (functionName(node) === undefined) ts.forEachChild(node, subtract);
    else lines -= span(file, node);
  };
  ts.forEachChild(whole, subtract);
  return lines;
}

function span(file: SourceFile, node: ts.Node): number {
  return lineAt(file, node.getEnd()) - lineAt(file, node.getStart()) + 1;
}

function functionName(node: ts.Node): string | undefined {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node)) {
    return node.name?.getText() ?? "function";
  }
  if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)) return undefined;
  const { parent } = node;
  const isNamed = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent);
  return isNamed ? parent.name.getText() : undefined;
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    if (NOT_OURS.has(entry.name) || entry.name.endsWith(".log")) return [];
    if (entry.isDirectory()) return listFiles(file);
    return entry.isFile() ? [file] : [];
  });
}

function blankComments(tree: ts.SourceFile): string {
  const { text } = tree;
  let code = "";
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(tree);
    if (children.length > 0) return children.forEach(visit);
    const start = node.getStart(tree);
    code += text.slice(code.length, start).replace(/[^\n]/g, " ");
    code += text.slice(start, node.getEnd());
  };
  visit(tree);
  return code;
}
