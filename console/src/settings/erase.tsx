/** What is stored of one number is deleted, with a reason that is kept. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { call, reasonOf } from "../lib/api.ts";
import { dateTime, msisdnShown } from "../lib/format.ts";
import { Button, Card, Dialog, Field, Problem } from "../ui/index.tsx";

type Erased = {
  readonly sessions: number;
  readonly turns: number;
  readonly kept: number;
  readonly kept_until: string | null;
};

export function EraseCard() {
  const [msisdn, setMsisdn] = useState("");
  const [isAsked, setAsked] = useState(false);
  const digits = msisdn.replaceAll(/[\s+-]/g, "");
  return (
    <Card title={t("eraseSubscriber")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
        }}
      >
        <p>{t("eraseLead")}</p>
        <Field label={t("msisdn")} hint={t("msisdnHint")}>
          <input
            required
            inputMode="tel"
            autocomplete="off"
            value={msisdn}
            onInput={(event) => setMsisdn(event.currentTarget.value)}
          />
        </Field>
        <div class="actions">
          <Button kind="danger" type="submit">
            {t("eraseSubscriber")}…
          </Button>
        </div>
      </form>
      {isAsked && <EraseDialog msisdn={digits} onClose={() => setAsked(false)} />}
    </Card>
  );
}

function EraseDialog({ msisdn, onClose }: { msisdn: string; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  const [erased, setErased] = useState<Erased | undefined>();
  const erase = async () => {
    try {
      setErased(await call<Erased>("POST", "/api/v1/privacy/erasures", { msisdn, reason }));
      setProblem(undefined);
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <Dialog title={t("eraseOf", { number: msisdnShown(msisdn) })} onClose={onClose}>
      <Problem text={problem} />
      {erased === undefined ? (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void erase();
          }}
        >
          <p>{t("eraseSure")}</p>
          <Field label={t("reason")} hint={t("revealHint")}>
            <input
              required
              minLength={5}
              maxLength={200}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </Field>
          <div class="actions">
            <Button kind="danger" type="submit">
              {t("eraseSubscriber")}
            </Button>
            <Button onClick={onClose}>{t("cancel")}</Button>
          </div>
        </form>
      ) : (
        <div role="status">
          <p>{t("eraseDone", { sessions: erased.sessions, turns: erased.turns })}</p>
          {erased.kept_until !== null && (
            <p>{t("eraseKept", { n: erased.kept, time: dateTime(erased.kept_until) })}</p>
          )}
        </div>
      )}
    </Dialog>
  );
}
