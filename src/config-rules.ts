/** What a setting's text may be. A rule answers the value, or what it expects. Pure. */
import ipaddr from "ipaddr.js";

export type Rule<T> = {
  readonly read: (text: string) => T | string;
  readonly expects: string;
};
export function integer(min: number, max: number): Rule<number> {
  const expects = `a whole number from ${min} to ${max}`;
  const read = (text: string) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
    return value >= min && value <= max ? value : expects;
  };
  return { read, expects };
}
export function oneOf<T extends string>(values: readonly T[]): Rule<T> {
  const expects = values.join(" | ");
  return { read: (text) => values.find((value) => value === text) ?? expects, expects };
}
export const flag: Rule<boolean> = {
  expects: "true | false | 1 | 0",
  read: (text) => {
    if (["true", "1", "yes", "on"].includes(text.toLowerCase())) return true;
    return ["false", "0", "no", "off"].includes(text.toLowerCase()) ? false : flag.expects;
  },
};
/** Kept apart from its reason by being an object: a text rule's failures are never its values. */
export type Text = { readonly text: string };
export function text(charsMin: number, charsMax: number): Rule<Text> {
  const expects = `${charsMin} to ${charsMax} characters`;
  return {
    read: (given) =>
      given.length >= charsMin && given.length <= charsMax ? { text: given } : expects,
    expects,
  };
}
/** Printable ASCII without spaces, as a header can carry it. */
export function printable(charsMin: number, charsMax: number): Rule<Text> {
  const expects = `${charsMin} to ${charsMax} printable characters without spaces`;
  return {
    read: (given) => (isPrintable(given, charsMin, charsMax) ? { text: given } : expects),
    expects,
  };
}
export function isPrintable(text: unknown, charsMin: number, charsMax: number): text is string {
  if (typeof text !== "string" || text.length < charsMin || text.length > charsMax) return false;
  return /^[\x21-\x7e]+$/.test(text);
}
/** "" where there is none. */
export const postgresUrl: Rule<Text> = {
  expects: "postgresql://user:password@host:port/database",
  read(given) {
    const isOne = URL.canParse(given) && /^postgres(?:ql)?:$/.test(new URL(given).protocol);
    return given === "" || (isOne && given.length <= 2_048) ? { text: given } : postgresUrl.expects;
  },
};
export const httpUrl: Rule<Text> = {
  expects: "an http or https URL",
  read: (given) => (isHttpUrl(given) ? { text: given } : httpUrl.expects),
};
export function isHttpUrl(text: unknown): boolean {
  if (typeof text !== "string" || text.length > 2_048 || !URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + hash === "";
}
export type List = { readonly items: readonly string[] };
/** "10.1.2.3", "10.1.0.0/16", "fd00::/8". */
export function isNetwork(text: unknown): boolean {
  if (typeof text !== "string") return false;
  return text.includes("/") ? ipaddr.isValidCIDR(text) : isAddress(text);
}
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}
export const networks: Rule<List> = {
  expects: "addresses or CIDR blocks, separated by commas",
  read: (given) => {
    const items = given
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    return items.length <= 256 && items.every(isNetwork) ? { items } : networks.expects;
  },
};
function isNetworkPort(text: string): boolean {
  const [network, port = "1", ...rest] = text.split("@");
  const isPort = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535;
  return isNetwork(network) && isPort && rest.length === 0;
}
/** "10.1.2.3@443" is the block of that one address: "10.1.2.3/32@443". */
function asBlock(text: string): string {
  const [network = "", port] = text.split("@");
  const bits = network.includes(":") ? "/128" : "/32";
  return `${network}${network.includes("/") ? "" : bits}${port === undefined ? "" : `@${port}`}`;
}
export const networkPorts: Rule<List> = {
  expects: "addresses or CIDR blocks with an optional @port, separated by commas",
  read: (given) => {
    const items = given
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    return items.length <= 256 && items.every(isNetworkPort)
      ? { items: items.map(asBlock) }
      : networkPorts.expects;
  },
};
export const NONE: Text = { text: "" };
export const EMPTY: List = { items: [] };

export const words: Rule<List> = {
  expects: "words of 2 to 40 characters, separated by commas; at most 100",
  read: (given) => {
    const items = given.split(",").map((item) => item.trim());
    const isGood = items.length <= 100 && items.every(({ length }) => length >= 2 && length <= 40);
    return isGood ? { items } : words.expects;
  },
};
