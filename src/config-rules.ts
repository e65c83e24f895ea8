/** What a setting's text may be. A rule answers the value, or what it expects. Pure. */

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
export type List = { readonly items: readonly string[] };
export const NETWORK = /^[0-9a-fA-F.:]{2,45}(\/\d{1,3})?$/;
export const networks: Rule<List> = {
  expects: "addresses or CIDR blocks, separated by commas",
  read: (given) => {
    const items = given
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    return items.length <= 256 && items.every((item) => NETWORK.test(item))
      ? { items }
      : networks.expects;
  },
};
const NETWORK_PORTS = /^[0-9a-fA-F.:]{2,45}(\/\d{1,3})?(@\d{1,5})?$/;
export const networkPorts: Rule<List> = {
  expects: "addresses or CIDR blocks with an optional @port, separated by commas",
  read: (given) => {
    const items = given
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    return items.length <= 256 && items.every((item) => NETWORK_PORTS.test(item))
      ? { items }
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
