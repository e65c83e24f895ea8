/** The number behind the mask: for who may see it, with a reason that is kept. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { call, reasonOf } from "../lib/api.ts";
import { may } from "../lib/me.ts";
import { msisdnShown } from "../lib/format.ts";
import { Button, Dialog, Field, Problem } from "../ui/index.tsx";

export function Reveal({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [number, setNumber] = useState<string | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  if (!may("sessions:reveal")) return null;
  const reveal = async () => {
    try {
      const path = `/api/v1/sessions/${id}/reveal`;
      const told = await call<{ readonly msisdn: string }>("POST", path, { reason });
      setNumber(told.msisdn);
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("reveal")}</Button>
      {isOpen && (
        <Dialog title={t("reveal")} onClose={() => setOpen(false)}>
          <form
            class="form"
            onSubmit={(event) => {
              event.preventDefault();
              void reveal();
            }}
          >
            <Problem text={problem} />
            {number !== undefined && <p class="mono revealed">{msisdnShown(number)}</p>}
            <Field label={t("reason")} hint={t("revealHint")}>
              <input
                required
                minLength={5}
                maxLength={200}
                value={reason}
                onInput={(event) => setReason(event.currentTarget.value)}
              />
            </Field>
            <Button kind="primary" type="submit">
              {t("reveal")}
            </Button>
          </form>
        </Dialog>
      )}
    </>
  );
}
