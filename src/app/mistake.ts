/** A mistake in an app's definition, found when it is made. `code` is one of `dialyard lint`'s. */
export class AppMistake extends Error {
  override readonly name = "AppMistake";
  readonly code: "duplicate-key" | "reserved-name" | "empty-flow" | "unknown-target" | "bad-keys";

  constructor(code: AppMistake["code"], message: string) {
    super(message);
    this.code = code;
  }
}
