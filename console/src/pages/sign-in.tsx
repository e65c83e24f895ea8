/** Where the gateway wants to know who asks. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { get, reasonOf, setAdminKey } from "../lib/api.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button, Field, Problem } from "../ui/index.tsx";

export function SignIn({ onDone }: { onDone: () => void }) {
  useTitle(t("signIn"));
  const [key, setKey] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  const enter = async () => {
    setAdminKey(key.trim());
    try {
      await get("/api/v1/channels");
      onDone();
    } catch (error) {
      setAdminKey(undefined);
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
      <Field label={t("adminKey")} hint={t("adminKeyHint")}>
        <input
          type="password"
          autocomplete="current-password"
          required
          maxLength={512}
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </Field>
      <Button kind="primary" type="submit">
        {t("signIn")}
      </Button>
    </form>
  );
}
