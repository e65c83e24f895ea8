/** What is sent back of Set-Cookie headers, joined by line feeds: names and values (RFC 6265 §4). */
export function cookieOf(set: string | undefined): string | undefined {
  const pairs = set?.split("\n").map((line) => (line.split(";", 1)[0] ?? "").trim());
  return pairs?.join("; ");
}
