/** What became of a registration: who changed what, and the way back. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { call, reasonOf } from "../lib/api.ts";
import { dateTime } from "../lib/format.ts";
import { may } from "../lib/me.ts";
import type { BackendShown } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { Button, Dialog, Loading, Problem } from "../ui/index.tsx";

type Version = {
  readonly version: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly backend: Readonly<Record<string, unknown>>;
};

export function HistoryDialog({
  backend,
  onChange,
  onClose,
}: {
  backend: BackendShown;
  onChange: () => void;
  onClose: () => void;
}) {
  const path = `/api/v1/backends/${backend.id}/history`;
  const history = useLoad<{ readonly changes: readonly Version[] }>(path);
  const [problem, setProblem] = useState<string | undefined>();
  const changes = history.value?.changes;
  const revert = async (version: number) => {
    try {
      await call("POST", "/api/v1/backends/revert", { version });
      setProblem(undefined);
      history.reload();
      onChange();
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <Dialog title={t("historyOf", { name: backend.name })} onClose={onClose}>
      <Problem text={problem ?? history.problem} />
      {changes === undefined && <Loading />}
      <ol class="versions">
        {changes?.map((change, index) => (
          <li key={change.version}>
            <p>
              <strong>{change.action}</strong> · {change.actor} · {dateTime(change.at)}
            </p>
            <ul class="differences mono">
              {differences(changes[index + 1]?.backend, change.backend).map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            {index > 0 && may("backends:write") && (
              <Button onClick={() => void revert(change.version)}>{t("revert")}</Button>
            )}
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

const UNTOLD = new Set(["id", "created_at", "updated_at"]);

/** "timeout: 5 → 3"; of a first version all that was set. */
export function differences(
  before: Readonly<Record<string, unknown>> | undefined,
  after: Readonly<Record<string, unknown>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [was, is] = [before?.[name], after[name]].map((value) => JSON.stringify(value) ?? "–");
    if (UNTOLD.has(name) || was === is) return [];
    return before === undefined ? [`${name}: ${is}`] : [`${name}: ${was} → ${is}`];
  });
}
