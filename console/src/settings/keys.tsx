/** Keys of programs: scopes, one look at the key itself, and successors that overlap. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { dateTime } from "../lib/format.ts";
import { useLoad } from "../lib/use-load.ts";
import { Button, Card, Chip, Command, Field, Loading, Problem, SureButton } from "../ui/index.tsx";
import { useChange } from "./use-change.ts";

type Key = {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly created_at: string;
  readonly used_at: string | null;
  readonly expires_at: string | null;
  readonly is_valid: boolean;
};
type Keys = { readonly keys: readonly Key[]; readonly scopes: readonly string[] };
type Made = { readonly key: string };

export function KeysPart() {
  const list = useLoad<Keys>("/api/v1/keys");
  const { problem, change } = useChange(list.reload);
  const [made, setMade] = useState<string | undefined>();
  if (list.value === undefined) return list.problem ? <Problem text={list.problem} /> : <Loading />;
  const make = async (path: string, body: unknown) => {
    const answer = await change<Made>("POST", path, body);
    if (answer !== undefined) setMade(answer.key);
    return answer !== undefined;
  };
  return (
    <>
      <Problem text={problem} />
      {made !== undefined && (
        <Card>
          <p>{t("keyShownOnce")}</p>
          <Command text={made} />
        </Card>
      )}
      <ul class="setting-rows">
        {list.value.keys.map((key) => (
          <li key={key.id} class="card key-row">
            <div>
              <strong>{key.name}</strong> <span class="mono soft">{key.prefix}…</span>{" "}
              {!key.is_valid && <Chip tone="warn">{t("expired")}</Chip>}
              <p class="soft mono">{key.scopes.join(" ")}</p>
              <p class="soft">
                {t("created")} {dateTime(key.created_at)}
                {key.used_at !== null && ` · ${t("lastUsed")} ${dateTime(key.used_at)}`}
                {key.expires_at !== null && ` · ${t("expires")} ${dateTime(key.expires_at)}`}
              </p>
            </div>
            <div class="actions">
              {key.is_valid && (
                <Button onClick={() => void make(`/api/v1/keys/${key.id}/rotate`, {})}>
                  {t("rotate")}
                </Button>
              )}
              <SureButton
                word={t("revoke")}
                title={t("revokeOf", { name: key.name })}
                text={t("revokeSure")}
                onSure={() => void change("DELETE", `/api/v1/keys/${key.id}`)}
              />
            </div>
          </li>
        ))}
      </ul>
      <NewKey scopes={list.value.scopes} onMake={(body) => make("/api/v1/keys", body)} />
    </>
  );
}

function NewKey({
  scopes,
  onMake,
}: {
  scopes: readonly string[];
  onMake: (body: unknown) => Promise<boolean>;
}) {
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const toggle = (scope: string) =>
    setChosen(chosen.includes(scope) ? chosen.filter((one) => one !== scope) : [...chosen, scope]);
  const make = async () => {
    if (!(await onMake({ name, scopes: chosen }))) return;
    setName("");
    setChosen([]);
  };
  return (
    <Card title={t("newKey")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <Field label={t("name")}>
          <input
            required
            maxLength={64}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <fieldset class="scopes">
          <legend class="field-label">{t("scopes")}</legend>
          {scopes.map((scope) => (
            <label key={scope} class="toggle">
              <input
                type="checkbox"
                checked={chosen.includes(scope)}
                onChange={() => toggle(scope)}
              />
              {scope}
            </label>
          ))}
        </fieldset>
        <div class="actions">
          <Button kind="primary" type="submit" disabled={chosen.length === 0}>
            {t("newKey")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
