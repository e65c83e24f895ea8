/** Backends: the applications behind codes. */
import { useState } from "preact/hooks";
import { BackendDialog } from "../backends/form.tsx";
import { HistoryDialog } from "../backends/history.tsx";
import { CheckDialog } from "../backends/check.tsx";
import { withStatus } from "../backends/draft.ts";
import { t } from "../i18n/index.ts";
import { call, reasonOf } from "../lib/api.ts";
import { ms } from "../lib/format.ts";
import { may } from "../lib/me.ts";
import type { BackendShown, ChannelShown, HealthShown } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button, Chip, Dialog, Empty, Loading, PageHead, Problem } from "../ui/index.tsx";
import "../styles/backends.css";
import "../styles/phone.css";

const PROTOCOLS = ["ola", "africastalking", "ixo", "kairos"];
const REFRESH_MS = 10_000;

type Open =
  | { readonly type: "edit"; readonly backend: BackendShown | undefined }
  | { readonly type: "check" | "delete" | "history"; readonly backend: BackendShown };

export function BackendsPage() {
  useTitle(t("backends"));
  const list = useLoad<readonly BackendShown[]>("/backends", REFRESH_MS);
  const channels = useLoad<{ readonly channels: readonly ChannelShown[] }>("/api/v1/channels");
  const health = useLoad<HealthShown>("/api/v1/backends/health", REFRESH_MS);
  const [open, setOpen] = useState<Open | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const close = () => setOpen(undefined);

  /** Undefined when it is done. */
  async function change(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown) {
    try {
      await call(method, path, body);
      list.reload();
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }
  const save = async (body: Readonly<Record<string, unknown>>) => {
    const refused = await change("id" in body ? "PUT" : "POST", "/backends", body);
    if (refused === undefined) close();
    return refused;
  };
  const toggle = async (backend: BackendShown) => {
    const status = backend.status === "active" ? "inactive" : "active";
    setProblem(await change("PUT", "/backends", withStatus(backend, status)));
  };
  const remove = async ({ id }: BackendShown) => {
    setProblem(await change("DELETE", `/backends?id=${id}`));
    close();
  };
  const rows = list.value;
  const spoken = channels.value?.channels ?? [];
  return (
    <div class="page">
      <PageHead title={t("backends")} lead={t("backendsLead")}>
        {may("backends:write") && (
          <Button kind="primary" onClick={() => setOpen({ type: "edit", backend: undefined })}>
            {t("newBackend")}
          </Button>
        )}
      </PageHead>
      <Problem text={problem ?? list.problem} />
      {rows === undefined && list.problem === undefined && <Loading />}
      {rows?.length === 0 && (
        <Empty title={t("noBackends")} command={firstCurl()}>
          {t("noBackendsHint")}
        </Empty>
      )}
      <ul class="cards">
        {rows?.map((backend) => (
          <BackendCard
            key={backend.id}
            backend={backend}
            health={health.value?.backends.find(({ id }) => id === backend.id)}
            onOpen={(type) => setOpen({ type, backend })}
            onToggle={() => void toggle(backend)}
          />
        ))}
      </ul>
      {open?.type === "edit" && (
        <BackendDialog
          backend={open.backend}
          protocols={[...new Set([...PROTOCOLS, ...spoken.map(({ protocol }) => protocol)])]}
          onSave={save}
          onClose={close}
        />
      )}
      {open?.type === "check" && (
        <CheckDialog
          backend={open.backend}
          channel={spoken.find(({ path }) => path !== undefined)?.name ?? ""}
          onClose={close}
        />
      )}
      {open?.type === "history" && (
        <HistoryDialog backend={open.backend} onChange={list.reload} onClose={close} />
      )}
      {open?.type === "delete" && (
        <DeleteDialog
          backend={open.backend}
          onDelete={() => void remove(open.backend)}
          onClose={close}
        />
      )}
    </div>
  );
}

function DeleteDialog(props: { backend: BackendShown; onDelete: () => void; onClose: () => void }) {
  const { name, service_code } = props.backend;
  return (
    <Dialog title={t("deleteOf", { name })} onClose={props.onClose}>
      <div class="form">
        <p>{t("deleteSure", { code: service_code })}</p>
        <div class="actions">
          <Button kind="danger" onClick={props.onDelete}>
            {t("delete")}
          </Button>
          <Button onClick={props.onClose}>{t("cancel")}</Button>
        </div>
      </div>
    </Dialog>
  );
}

function BackendCard({
  backend,
  health,
  onOpen,
  onToggle,
}: {
  backend: BackendShown;
  health: HealthShown["backends"][number] | undefined;
  onOpen: (type: "edit" | "check" | "delete" | "history") => void;
  onToggle: () => void;
}) {
  const { name, service_code, status, callback_url, app, timeout, retries } = backend;
  const isActive = status === "active";
  return (
    <li class="card backend">
      <div class="backend-head">
        <h2>{name}</h2>
        {health?.breaker_open && <Chip tone="bad">{t("breakerOpen")}</Chip>}
        <Chip tone={isActive ? "good" : "warn"}>{t(isActive ? "active" : "pausedBackend")}</Chip>
      </div>
      <p class="backend-code mono">{service_code}</p>
      <p class="backend-url mono">{app === undefined ? callback_url : `app: ${app}`}</p>
      <p class="soft backend-facts">
        {String(backend.protocol ?? (app === undefined ? "ola" : "app"))} ·{" "}
        {t("backendTimes", { timeout, retries })}
        {backend.idempotent === false && ` · ${t("onceOnly")}`}
      </p>
      {typeof health?.p95_ms === "number" && (
        <p class="soft backend-facts">{t("p95Of", { time: ms(health.p95_ms), n: health.turns })}</p>
      )}
      <div class="actions">
        {may("phone:dial") && (
          <>
            <a class="button" href={`/phone?code=${encodeURIComponent(service_code)}`}>
              {t("tryIt")}
            </a>
            <Button disabled={!isActive} onClick={() => onOpen("check")}>
              {t("checkNow")}
            </Button>
          </>
        )}
      </div>
      <div class="actions lesser">
        <Button kind="quiet" onClick={() => onOpen("history")}>
          {t("history")}
        </Button>
        {may("backends:write") && (
          <>
            <Button kind="quiet" onClick={() => onOpen("edit")}>
              {t("edit")}
            </Button>
            <Button kind="quiet" onClick={onToggle}>
              {t(isActive ? "pause" : "resume")}
            </Button>
            <Button kind="quiet" class="danger" onClick={() => onOpen("delete")}>
              {t("delete")}
            </Button>
          </>
        )}
      </div>
    </li>
  );
}

function firstCurl(): string {
  const body = {
    ...{ name: "My app", service_code: "*365#", type: "http", method: "POST", status: "active" },
    callback_url: "http://localhost:8081/ussd/callback",
  };
  return `curl -X POST ${location.origin}/backends \\
  -H 'content-type: application/json' \\
  -d '${JSON.stringify(body)}'`;
}
