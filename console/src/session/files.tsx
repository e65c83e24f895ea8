/** Sessions as files: one that was exported is opened, a list goes to a spreadsheet. */
import { useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { t } from "../i18n/index.ts";
import { getText, reasonOf } from "../lib/api.ts";
import { download } from "../lib/download.ts";
import { keepImported } from "../lib/imported.ts";
import { may } from "../lib/me.ts";
import { Button } from "../ui/index.tsx";
import { type Filters, queryOf } from "./filters.ts";

export function ImportButton() {
  const { route } = useLocation();
  const file = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | undefined>();
  return (
    <>
      <input
        ref={file}
        type="file"
        hidden
        accept="application/json"
        aria-label={t("importJson")}
        onChange={(event) => {
          void event.currentTarget.files?.[0]?.text().then((text) => {
            const place = keepImported(text);
            setProblem(place === undefined ? undefined : t("importWrong", { place }));
            if (place === undefined) route("/console/sessions/imported");
          });
        }}
      />
      {problem !== undefined && <span class="problem">{problem}</span>}
      <Button kind="quiet" onClick={() => file.current?.click()}>
        {t("importJson")}
      </Button>
    </>
  );
}

export function CsvButton({ filters }: { filters: Filters }) {
  const [problem, setProblem] = useState<string | undefined>();
  const [isBusy, setBusy] = useState(false);
  if (!may("sessions:export")) return null;
  const fetchIt = async () => {
    setBusy(true);
    try {
      const text = await getText(`/api/v1/sessions/csv?${queryOf(filters)}`);
      download("sessions.csv", text, "text/csv");
      setProblem(undefined);
    } catch (error) {
      setProblem(reasonOf(error));
    }
    setBusy(false);
  };
  return (
    <>
      {problem !== undefined && <span class="problem">{problem}</span>}
      <Button
        kind="quiet"
        title={t("exportCsvHint")}
        disabled={isBusy}
        onClick={() => void fetchIt()}
      >
        {t("exportCsv")}
      </Button>
    </>
  );
}
