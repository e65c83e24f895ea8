/** The page: the console and the phone are one application under two addresses. */
import { render } from "preact";
import { App } from "./app.tsx";
import { loadLanguage } from "./i18n/index.ts";
import { loadMe } from "./lib/me.ts";
import { applyTheme } from "./lib/theme.ts";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/layout.css";

applyTheme();
void Promise.all([loadLanguage(), loadMe()]).then(() => render(<App />, document.body));
