/** A registration: the documented fields first, ours under "More". */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { ms } from "../lib/format.ts";
import type { BackendShown } from "../lib/shapes.ts";
import { Button, Copy, Dialog, Field, Problem } from "../ui/index.tsx";
import type { Draft } from "./draft.ts";
import { bodyOf, curlOf, draftOf, scheduleOf } from "./draft.ts";

export function BackendDialog({
  backend,
  protocols,
  onSave,
  onClose,
}: {
  backend: BackendShown | undefined;
  protocols: readonly string[];
  /** Resolves with what the gateway has against it. */
  onSave: (body: Readonly<Record<string, unknown>>) => Promise<string | undefined>;
  onClose: () => void;
}) {
  const [draft, setDraft] = useState(() => draftOf(backend));
  const [problem, setProblem] = useState<string | undefined>();
  const [isBusy, setBusy] = useState(false);
  const isApp = backend?.type === "app";
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const save = async () => {
    setBusy(true);
    setProblem(await onSave(bodyOf(draft, backend)));
    setBusy(false);
  };
  return (
    <Dialog title={backend === undefined ? t("newBackend") : backend.name} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Problem text={problem} />
        <NameAndCode {...{ draft, set }} />
        {!isApp && (
          <Field label={t("callbackUrl")} hint={t("callbackUrlHint")}>
            <input
              required
              type="url"
              maxLength={2048}
              value={draft.url}
              placeholder="http://localhost:8081/ussd/callback"
              onInput={(event) => set({ url: event.currentTarget.value })}
            />
          </Field>
        )}
        <Times draft={draft} set={set} />
        {!isApp && <More {...{ draft, set, protocols }} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={isBusy}>
            {t("save")}
          </Button>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Copy text={curlOf(bodyOf(draft, backend), location.origin)} label={t("copyCurl")} />
        </div>
      </form>
    </Dialog>
  );
}

type PartProps = { readonly draft: Draft; readonly set: (part: Partial<Draft>) => void };

function NameAndCode({ draft, set }: PartProps) {
  return (
    <div class="two">
      <Field label={t("name")}>
        <input
          required
          maxLength={128}
          value={draft.name}
          placeholder="Banking"
          onInput={(event) => set({ name: event.currentTarget.value })}
        />
      </Field>
      <Field label={t("code")}>
        <input
          required
          maxLength={40}
          pattern="\*[1-9][0-9*]*#"
          class="mono"
          value={draft.code}
          placeholder="*365#"
          onInput={(event) => set({ code: event.currentTarget.value })}
        />
      </Field>
    </div>
  );
}

function Times({ draft, set }: PartProps) {
  const schedule = scheduleOf(draft);
  return (
    <div class="field">
      <div class="two">
        <Field label={t("timeout")}>
          <input
            type="number"
            min={1}
            max={60}
            value={draft.timeout}
            onInput={(event) => set({ timeout: event.currentTarget.valueAsNumber })}
          />
        </Field>
        <Field label={t("retries")}>
          <input
            type="number"
            min={0}
            max={5}
            value={draft.retries}
            onInput={(event) => set({ retries: event.currentTarget.valueAsNumber })}
          />
        </Field>
      </div>
      <span class="hint">
        {t("scheduleHint", { n: schedule.attempts, time: ms(schedule.worstMs) })}
      </span>
    </div>
  );
}

function More({ draft, set, protocols }: PartProps & { readonly protocols: readonly string[] }) {
  return (
    <details class="more-fields">
      <summary>{t("moreFields")}</summary>
      <div class="form">
        <div class="two">
          <Field label={t("protocol")} hint={t("protocolHint")}>
            <select
              value={draft.protocol}
              onChange={(event) => set({ protocol: event.currentTarget.value })}
            >
              {protocols.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </Field>
          <Field label={t("method")}>
            <select
              value={draft.method}
              onChange={(event) => set({ method: event.currentTarget.value as Draft["method"] })}
            >
              {(["POST", "GET", "PUT"] as const).map((method) => (
                <option key={method}>{method}</option>
              ))}
            </select>
          </Field>
        </div>
        <label class="toggle">
          <input
            type="checkbox"
            checked={!draft.idempotent}
            onChange={(event) => set({ idempotent: !event.currentTarget.checked })}
          />
          <span>{t("notIdempotent")}</span>
        </label>
        <Field label={t("signingSecret")} hint={t("signingSecretHint")}>
          <input
            type="password"
            autocomplete="new-password"
            minLength={16}
            maxLength={256}
            value={draft.secret}
            onInput={(event) => set({ secret: event.currentTarget.value })}
          />
        </Field>
      </div>
    </details>
  );
}
