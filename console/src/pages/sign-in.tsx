/** Where the gateway wants to know who asks: a user with a password, or the admin key. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { call, reasonOf, setAdminKey } from "../lib/api.ts";
import { loadMe } from "../lib/me.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button, Field, Problem } from "../ui/index.tsx";

export function SignIn({ onDone }: { onDone: () => void }) {
  useTitle(t("signIn"));
  const [isByKey, setByKey] = useState(false);
  const [name, setName] = useState("");
  const [secret, setSecret] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  const enter = async () => {
    try {
      if (isByKey) setAdminKey(secret.trim());
      else await call("POST", "/api/v1/sign-in", { name: name.trim(), password: secret });
      const me = await loadMe();
      if (me?.name !== null) return onDone();
      setAdminKey(undefined);
      setProblem(t("notThatKey"));
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <form
      class="card sign-in form"
      onSubmit={(event) => {
        event.preventDefault();
        void enter();
      }}
    >
      <h1>{t("signIn")}</h1>
      <Problem text={problem} />
      {!isByKey && (
        <Field label={t("userName")}>
          <input
            autocomplete="username"
            required
            maxLength={64}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
      )}
      <Field
        label={t(isByKey ? "adminKey" : "password")}
        hint={isByKey ? t("adminKeyHint") : undefined}
      >
        <input
          type="password"
          autocomplete="current-password"
          required
          maxLength={isByKey ? 512 : 256}
          value={secret}
          onInput={(event) => setSecret(event.currentTarget.value)}
        />
      </Field>
      <Button kind="primary" type="submit">
        {t("signIn")}
      </Button>
      <label class="toggle">
        <input type="checkbox" checked={isByKey} onChange={() => setByKey(!isByKey)} />
        {t("orAdminKey")}
      </label>
    </form>
  );
}
