/** Dark or light: the system's choice unless somebody chose otherwise here. */
import { keep, kept } from "./keep.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "theme";

export function chosenTheme(): Theme {
  const theme = kept<Theme>(KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

export function applyTheme(theme: Theme = chosenTheme()): void {
  keep(KEY, theme);
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
