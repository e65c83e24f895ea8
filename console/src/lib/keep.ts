/** What this browser remembers for its user: choices and SIMs, never a PIN or a key. */
const PREFIX = "dialyard.";

export function kept<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined; // storage is off, or somebody else wrote there
  }
}

export function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
