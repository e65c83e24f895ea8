/** How long what is kept, what is masked, and a subscriber who wants to be forgotten. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { may } from "../lib/me.ts";
import { useLoad } from "../lib/use-load.ts";
import { Button, Card, Chip, Dialog, Field, Loading, Problem } from "../ui/index.tsx";
import { EraseCard } from "./erase.tsx";
import { Facts } from "./facts.tsx";
import { useChange } from "./use-change.ts";

type Rules = {
  readonly session_days: number;
  readonly audit_days: number;
  readonly secret_words: readonly string[];
};
type Privacy = Rules & { readonly changed: boolean; readonly configured: Rules };
const PATH = "/api/v1/privacy";

export function PrivacyPart() {
  const list = useLoad<Privacy>(PATH);
  const { problem, change } = useChange(list.reload);
  const [isSaved, setSaved] = useState(false);
  if (list.value === undefined) return list.problem ? <Problem text={list.problem} /> : <Loading />;
  const { value } = list;
  const store = async (rules: Rules | undefined) => {
    setSaved(false);
    const answer = await (rules === undefined
      ? change("DELETE", PATH)
      : change("PUT", PATH, rules));
    setSaved(answer !== undefined);
  };
  const aside = value.changed ? <Chip tone="warn">{t("ownText")}</Chip> : undefined;
  return (
    <>
      <Card title={t("privacy")} aside={aside}>
        <p class="soft card-lead">{t("fromSettings")}</p>
        <Problem text={problem} />
        {isSaved && <p role="status">{t("saved")}</p>}
        {may("privacy:write") ? (
          <PrivacyForm
            key={JSON.stringify(value)}
            value={value}
            onSave={(rules) => void store(rules)}
          />
        ) : (
          <Facts
            facts={[
              [t("sessionDays"), String(value.session_days)],
              [t("auditDays"), String(value.audit_days)],
              [t("secretWords"), wordsShown(value)],
            ]}
          />
        )}
      </Card>
      {may("privacy:erase") && <EraseCard />}
    </>
  );
}

function wordsShown({ secret_words }: Rules): string {
  return secret_words.join(", ") || t("none");
}

function PrivacyForm(props: {
  value: Privacy;
  /** Undefined: as configured again. */
  onSave: (rules: Rules | undefined) => void;
}) {
  const { value, onSave } = props;
  const { configured } = value;
  const [sessionDays, setSessionDays] = useState(String(value.session_days));
  const [auditDays, setAuditDays] = useState(String(value.audit_days));
  const [words, setWords] = useState(value.secret_words.join(", "));
  const [asked, setAsked] = useState<{ readonly rules: Rules | undefined } | undefined>();
  const typed = (): Rules => ({
    session_days: Number(sessionDays),
    audit_days: Number(auditDays),
    secret_words: words.split(",").flatMap((word) => word.trim() || []),
  });
  const save = (rules: Rules | undefined) => {
    const { session_days, audit_days } = rules ?? configured;
    const isLess = session_days < value.session_days || audit_days < value.audit_days;
    if (isLess) setAsked({ rules });
    else onSave(rules);
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        save(typed());
      }}
    >
      <Field label={t("sessionDays")} hint={t("configuredAs", { value: configured.session_days })}>
        <Days value={sessionDays} onInput={setSessionDays} />
      </Field>
      <Field label={t("auditDays")} hint={t("configuredAs", { value: configured.audit_days })}>
        <Days value={auditDays} onInput={setAuditDays} />
      </Field>
      <Field
        label={t("secretWords")}
        hint={`${t("wordsHint")} ${t("configuredAs", { value: wordsShown(configured) })}`}
      >
        <input
          autocomplete="off"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      </Field>
      <div class="actions">
        <Button kind="primary" type="submit">
          {t("save")}
        </Button>
        {value.changed && <Button onClick={() => save(undefined)}>{t("asConfigured")}</Button>}
      </div>
      {asked !== undefined && (
        <FewerDays onSure={() => onSave(asked.rules)} onClose={() => setAsked(undefined)} />
      )}
    </form>
  );
}

function Days({ value, onInput }: { value: string; onInput: (text: string) => void }) {
  return (
    <input
      required
      type="number"
      min={1}
      max={3_650}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}

function FewerDays({ onSure, onClose }: { onSure: () => void; onClose: () => void }) {
  const sure = () => {
    onClose();
    onSure();
  };
  return (
    <Dialog title={t("fewerDays")} onClose={onClose}>
      <div class="form">
        <p>{t("fewerDaysSure")}</p>
        <div class="actions">
          <Button kind="danger" onClick={sure}>
            {t("delete")}
          </Button>
          <Button onClick={onClose}>{t("cancel")}</Button>
        </div>
      </div>
    </Dialog>
  );
}
