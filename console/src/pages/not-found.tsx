import { t } from "../i18n/index.ts";
import { useTitle } from "../lib/use-title.ts";
import { Empty } from "../ui/index.tsx";

export function NotFound() {
  useTitle(t("notFound"));
  return (
    <div class="page">
      <Empty title={t("notFound")}>
        <a href="/console">{t("toOverview")}</a>
      </Empty>
    </div>
  );
}
