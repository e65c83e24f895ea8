/** Filters under a name, kept in this browser. A subscriber's number is never one of them. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { keep, kept } from "../lib/keep.ts";
import { Button } from "../ui/index.tsx";
import { addressOf, type Filters } from "./filters.ts";

type View = { readonly name: string; readonly address: string };
const KEY = "session-views";
const VIEWS_MAX = 20;
const NAME_CHARS_MAX = 40;

export function SavedViews({ filters }: { filters: Filters }) {
  const [views, setViews] = useState(keptViews);
  const [name, setName] = useState("");
  const { msisdn: _, ...lasting } = filters;
  const address = addressOf(lasting);
  const put = (next: readonly View[]) => {
    keep(KEY, next);
    setViews(next);
  };
  const save = () => {
    const others = views.filter((view) => view.name !== name.trim());
    put([...others, { name: name.trim(), address }].slice(-VIEWS_MAX));
    setName("");
  };
  if (views.length === 0 && address === "") return null;
  return (
    <div class="views">
      {views.map((view) => (
        <span key={view.name} class="view">
          <a
            href={`/console/sessions${view.address}`}
            aria-current={view.address === address ? "page" : undefined}
          >
            {view.name}
          </a>
          <button
            type="button"
            aria-label={t("forgetView", { name: view.name })}
            onClick={() => put(views.filter((one) => one !== view))}
          >
            ×
          </button>
        </span>
      ))}
      {address !== "" && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <input
            required
            pattern=".*\S.*"
            maxLength={NAME_CHARS_MAX}
            aria-label={t("viewName")}
            placeholder={t("viewName")}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <Button kind="quiet" type="submit">
            {t("saveView")}
          </Button>
        </form>
      )}
    </div>
  );
}

/** Whatever else somebody wrote there is left out. */
function keptViews(): readonly View[] {
  const found = kept<unknown>(KEY);
  return Array.isArray(found) ? found.filter(isView) : [];
}

function isView(value: unknown): value is View {
  const { name, address } = (value ?? {}) as Partial<View>;
  return typeof name === "string" && typeof address === "string" && address.startsWith("?");
}
