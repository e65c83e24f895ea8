/** Who did what, newest first. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { dateTime } from "../lib/format.ts";
import { useLoad } from "../lib/use-load.ts";
import { Button, Loading, Problem } from "../ui/index.tsx";

type Page = {
  readonly entries: readonly {
    readonly n: number;
    readonly at: string;
    readonly actor: string;
    readonly action: string;
    readonly target: string;
    readonly reason: string | null;
  }[];
  readonly next: string | null;
};

export function AuditPart() {
  const [after, setAfter] = useState("");
  const { value, problem } = useLoad<Page>(`/api/v1/audit${after && `?after=${after}`}`);
  if (value === undefined) return problem ? <Problem text={problem} /> : <Loading />;
  const { next } = value;
  return (
    <>
      <div class="table-box" tabIndex={0} role="region" aria-label={t("audit")}>
        <table class="table audit">
          <thead>
            <tr>
              {(["time", "who", "what", "reason"] as const).map((word) => (
                <th key={word}>{t(word)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {value.entries.map(({ n, at, actor, action, target, reason }) => (
              <tr key={n}>
                <td>{dateTime(at)}</td>
                <td>{actor}</td>
                <td>
                  {action} <span class="soft">{target}</span>
                </td>
                <td>{reason ?? ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {next !== null && <Button onClick={() => setAfter(next)}>{t("older")}</Button>}
    </>
  );
}
