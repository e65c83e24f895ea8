/** Looks for a number that must be nowhere, in every form in which it could be there. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Digits as text, hexadecimal, base64 at each alignment, UTF-16 and a binary integer. */
function formsOf(digits: string): readonly Buffer[] {
  const plain = Buffer.from(digits, "latin1");
  const hex = plain.toString("hex");
  const texts = [hex, hex.toUpperCase(), ...[0, 1, 2].map((offset) => base64At(plain, offset))];
  const integer = Buffer.alloc(8);
  integer.writeBigUInt64BE(BigInt(digits));
  const firstSet = integer.findIndex((octet) => octet !== 0);
  return [
    plain,
    Buffer.from(digits, "utf16le"),
    integer.subarray(firstSet),
    ...texts.map((text) => Buffer.from(text, "latin1")),
  ];
}

/** The characters of base64 that these octets alone decide, `offset` octets into a text. */
function base64At(octets: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), octets]).toString("base64");
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + octets.length) * 8) / 6));
}

/** Names of the places that hold it, in any form, with what stands around it. */
export function findLeaks(digits: string, places: ReadonlyMap<string, Buffer>): readonly string[] {
  const forms = formsOf(digits);
  return [...places].flatMap(([name, content]) =>
    forms.flatMap((form) => {
      const at = content.indexOf(form);
      if (at === -1) return [];
      const around = content.subarray(Math.max(0, at - 60), at + form.length + 20);
      return [`${name}: …${around.toString("latin1").replaceAll(/[^\x20-\x7e]/g, ".")}…`];
    }),
  );
}

/** Every file below a folder. */
export function readFiles(folder: string): ReadonlyMap<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => [`file ${name}`, readFileSync(join(parentPath, name))]),
  );
}
