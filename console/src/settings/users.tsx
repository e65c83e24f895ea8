/** People who sign in, each with a role. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { dateTime } from "../lib/format.ts";
import { useLoad } from "../lib/use-load.ts";
import { Button, Card, Field, Loading, Problem, SureButton } from "../ui/index.tsx";
import { useChange } from "./use-change.ts";

type User = {
  readonly id: number;
  readonly name: string;
  readonly role: string;
  readonly signed_in_at: string | null;
};
const ROLES = ["viewer", "support", "operator", "admin"] as const;

export function UsersPart() {
  const list = useLoad<{ readonly users: readonly User[] }>("/api/v1/users");
  const { problem, change } = useChange(list.reload);
  if (list.value === undefined) return list.problem ? <Problem text={list.problem} /> : <Loading />;
  return (
    <>
      <Problem text={problem} />
      <ul class="setting-rows">
        {list.value.users.map(({ id, name, role, signed_in_at }) => (
          <li key={id} class="card user-row">
            <div>
              <strong>{name}</strong>
              {signed_in_at !== null && (
                <p class="soft">
                  {t("lastUsed")} {dateTime(signed_in_at)}
                </p>
              )}
            </div>
            <RoleSelect
              label={`${t("role")}: ${name}`}
              value={role}
              onChange={(next) => void change("PUT", `/api/v1/users/${id}`, { role: next })}
            />
            <SureButton
              word={t("delete")}
              title={t("deleteOf", { name })}
              text={t("deleteUserSure")}
              onSure={() => void change("DELETE", `/api/v1/users/${id}`)}
            />
          </li>
        ))}
      </ul>
      <NewUser
        onAdd={async (body) => (await change("POST", "/api/v1/users", body)) !== undefined}
      />
    </>
  );
}

function RoleSelect(props: { label: string; value: string; onChange: (role: string) => void }) {
  return (
    <select
      aria-label={props.label}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    >
      {ROLES.map((role) => (
        <option key={role}>{role}</option>
      ))}
    </select>
  );
}

function NewUser({ onAdd }: { onAdd: (body: unknown) => Promise<boolean> }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState("viewer");
  const add = async () => {
    if (!(await onAdd({ name: name.trim(), password, role }))) return;
    setName("");
    setPassword("");
  };
  return (
    <Card title={t("newUser")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <Field label={t("userName")}>
          <input
            required
            maxLength={64}
            autocomplete="off"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <Field label={t("password")} hint={t("passwordHint")}>
          <input
            required
            type="password"
            minLength={12}
            maxLength={256}
            autocomplete="new-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </Field>
        <Field label={t("role")}>
          <RoleSelect label={t("role")} value={role} onChange={setRole} />
        </Field>
        <Button kind="primary" type="submit">
          {t("newUser")}
        </Button>
      </form>
    </Card>
  );
}
