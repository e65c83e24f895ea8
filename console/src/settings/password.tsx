/** One's own password: who changes it stays signed in here, and nowhere else. */
import { useState } from "preact/hooks";
import { t, type Word } from "../i18n/index.ts";
import { call, reasonOf } from "../lib/api.ts";
import { currentMe, loadMe } from "../lib/me.ts";
import { Button, Card, Field, Problem } from "../ui/index.tsx";

const EMPTY = { passwordNow: "", passwordNew: "", passwordAgain: "" };
type Name = keyof typeof EMPTY & Word;
const NAMES: readonly Name[] = ["passwordNow", "passwordNew", "passwordAgain"];

export function PasswordPart() {
  const [typed, setTyped] = useState(EMPTY);
  const [problem, setProblem] = useState<string | undefined>();
  const [isDone, setDone] = useState(false);
  const change = async () => {
    setDone(false);
    if (typed.passwordNew !== typed.passwordAgain) return setProblem(t("passwordsDiffer"));
    const body = { password: typed.passwordNow, new_password: typed.passwordNew };
    try {
      await call("POST", "/api/v1/me/password", body);
      // The new sign-in has a token of its own.
      await loadMe();
      setProblem(undefined);
      setTyped(EMPTY);
      setDone(true);
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <Card title={t("ownPassword")}>
      <Problem text={problem} />
      {isDone && <p role="status">{t("passwordChanged")}</p>}
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void change();
        }}
      >
        <input type="text" hidden autocomplete="username" value={currentMe()?.name ?? ""} />
        {NAMES.map((name) => (
          <Field
            key={name}
            label={t(name)}
            hint={name === "passwordNew" ? t("passwordHint") : undefined}
          >
            <input
              required
              type="password"
              minLength={name === "passwordNow" ? 1 : 12}
              maxLength={256}
              autocomplete={name === "passwordNow" ? "current-password" : "new-password"}
              value={typed[name]}
              onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })}
            />
          </Field>
        ))}
        <Button kind="primary" type="submit">
          {t("changePassword")}
        </Button>
      </form>
    </Card>
  );
}
