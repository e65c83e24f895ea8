/** Codes: who wins for what is dialled, and why. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { get, reasonOf } from "../lib/api.ts";
import type { BackendShown } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button, Card, Chip, Empty, Field, Loading, PageHead, Problem } from "../ui/index.tsx";
import "../styles/sessions.css";
import "../styles/backends.css";

type Route = {
  readonly dialled: string;
  readonly service_code: string;
  readonly digits: readonly string[];
  readonly backend: { readonly id: number; readonly name: string };
};

export function CodesPage() {
  useTitle(t("codes"));
  const list = useLoad<readonly BackendShown[]>("/backends");
  const rows = list.value?.toSorted((one, other) =>
    one.service_code.localeCompare(other.service_code, "en", { numeric: true }),
  );
  return (
    <div class="page">
      <PageHead title={t("codes")} lead={t("codesLead")} />
      <TestBox />
      <Problem text={list.problem} />
      {rows === undefined && list.problem === undefined && <Loading />}
      {rows?.length === 0 && (
        <Empty title={t("noBackends")}>
          <a href="/console/backends">{t("newBackend")}</a>
        </Empty>
      )}
      {rows !== undefined && rows.length > 0 && <CodeTable rows={rows} />}
    </div>
  );
}

function TestBox() {
  const [dialled, setDialled] = useState("");
  const [route, setRoute] = useState<Route | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const look = async () => {
    try {
      setRoute(await get<Route>(`/api/v1/codes?dialled=${encodeURIComponent(dialled.trim())}`));
      setProblem(undefined);
    } catch (error) {
      setRoute(undefined);
      setProblem(reasonOf(error));
    }
  };
  return (
    <Card title={t("testCode")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <div class="test-code">
          <Field label={t("dialledString")}>
            <input
              class="mono"
              required
              maxLength={122}
              placeholder="*365*2*500#"
              value={dialled}
              onInput={(event) => setDialled(event.currentTarget.value)}
            />
          </Field>
          <Button kind="primary" type="submit">
            {t("whoWins")}
          </Button>
        </div>
        <div role="status">
          {problem !== undefined && <p class="banner warn">{problem}</p>}
          {route !== undefined && (
            <p class="banner">
              {t("wins", { name: route.backend.name, code: route.service_code })}{" "}
              {route.digits.length > 0 && t("winsDigits", { digits: route.digits.join(", ") })}
            </p>
          )}
        </div>
      </form>
    </Card>
  );
}

function CodeTable({ rows }: { rows: readonly BackendShown[] }) {
  const codes = rows.map(({ service_code }) => service_code);
  return (
    <div class="table-box">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("code")}</th>
            <th scope="col">{t("backend")}</th>
            <th scope="col">{t("state")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, service_code, name, status }) => (
            <tr key={id}>
              <td class="mono">
                <span class={`depth depth-${Math.min(3, depthOf(service_code, codes))}`}>
                  {service_code}
                </span>
              </td>
              <td>{name}</td>
              <td>
                <Chip tone={status === "active" ? "good" : "warn"}>
                  {t(status === "active" ? "active" : "pausedBackend")}
                </Chip>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How many registered codes this one is longer than. */
function depthOf(code: string, codes: readonly string[]): number {
  return codes.filter((other) => other !== code && code.startsWith(`${other.slice(0, -1)}*`))
    .length;
}
