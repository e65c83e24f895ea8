import { t } from "../i18n/index.ts";
import { useTitle } from "../lib/use-title.ts";

export function NotFound() {
  useTitle(t("notFound"));
  return (
    <div class="page">
      <div class="empty">
        <h1>{t("notFound")}</h1>
        <p>
          <a href="/console">{t("toOverview")}</a>
        </p>
      </div>
    </div>
  );
}
