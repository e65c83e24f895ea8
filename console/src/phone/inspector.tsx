/** Every hop of every step: raw bytes, what they mean, how long they took; edit and send again. */
import { useEffect, useState } from "preact/hooks";
import type { PhoneAnswer } from "../../../src/api/phone-schemas.ts";
import { t } from "../i18n/index.ts";
import { ms } from "../lib/format.ts";
import { Button, Copy } from "../ui/index.tsx";
import { outcomeWord } from "../session/outcome.tsx";
import type { Step } from "./model.ts";
import type { Handset, WireEdit } from "./use-handset.ts";
import { curlOf, rawRequest, rawResponse } from "./wire.ts";
import type { Hop } from "./wire.ts";

export function Inspector({ handset }: { handset: Handset }) {
  const { steps, selected } = handset.state;
  const step = steps[selected];
  if (step === undefined) {
    return (
      <div class="inspector rest-note">
        <h2>{t("inspector")}</h2>
        <p>{t("inspectorRest")}</p>
      </div>
    );
  }
  return (
    <div class="inspector">
      <h2>{t("inspector")}</h2>
      <ol class="steps" aria-label={t("steps")}>
        {steps.map((one, index) => (
          <li key={index}>
            <button
              type="button"
              class="step"
              aria-current={index === selected ? "step" : undefined}
              onClick={() => handset.set({ selected: index })}
            >
              <b>{labelOf(one)}</b>
              <span>{summaryOf(one)}</span>
            </button>
          </li>
        ))}
      </ol>
      <StepDetail key={selected} step={step} handset={handset} />
    </div>
  );
}

function labelOf({ kind, typed }: Step): string {
  switch (kind) {
    case "dial":
      return typed;
    case "send":
      return typed === "" ? t("emptyInput") : typed;
    case "again":
      return t("again");
    case "edited":
      return t("edited");
    case "hangup":
      return t("hangUp");
    case "drop":
      return t("drop");
  }
}

function summaryOf({ answer, problem }: Step): string {
  if (problem !== undefined) return problem;
  if (answer === undefined) return "";
  if (answer.outcome === "refused")
    return answer.failure === null ? t("noScreen") : outcomeWord(answer.failure);
  if (answer.outcome !== "screen") return t(answer.outcome === "reply_lost" ? "lost" : "gaveUp");
  return `${answer.action === "end" ? "END" : "CON"} ${ms(answer.took_ms)}`;
}

function StepDetail({ step, handset }: { step: Step; handset: Handset }) {
  const { answer, problem } = step;
  if (problem !== undefined) {
    return (
      <p class="banner bad" role="alert">
        {problem}
      </p>
    );
  }
  if (answer === undefined) return <p class="soft">{t("nothingSent")}</p>;
  return (
    <>
      {answer.session_id && (
        <p class="soft step-link">
          <a href={`/console/sessions/${answer.session_id}`}>{t("openSession")}</a>
        </p>
      )}
      <Hops hops={answer.hops} normalised={answer.normalised} />
      {answer.request !== null && <Resend answer={answer} handset={handset} />}
    </>
  );
}

/** Also in the session's page: its turns as they were on the wires. */
export function Hops({
  hops,
  normalised,
}: {
  hops: readonly Hop[];
  normalised: Readonly<Record<string, unknown>> | null;
}) {
  if (hops.length === 0) return <p class="soft">{t("noBytes")}</p>;
  return (
    <div class="hops">
      {hops.map((hop, index) => (
        <HopView key={index} hop={hop} attempt={attemptOf(hops, index)} />
      ))}
      {normalised !== null && (
        <details class="hop">
          <summary>
            <span class="hop-name">{t("normalised")}</span>
          </summary>
          <pre tabIndex={0}>{JSON.stringify(normalised, undefined, 2)}</pre>
        </details>
      )}
    </div>
  );
}

function attemptOf(hops: readonly Hop[], index: number): number {
  return hops.slice(0, index + 1).filter(({ to }) => to === "backend").length;
}

function HopView({ hop, attempt }: { hop: Hop; attempt: number }) {
  const isDoor = hop.to === "gateway";
  const title = isDoor
    ? t("hopDoor", { name: hop.name })
    : t("hopBackend", { name: hop.name, n: attempt });
  const status = hop.response?.status;
  const isBad = hop.failure !== null;
  return (
    <details class="hop" open>
      <summary>
        <span class="hop-name">{title}</span>
        <span class={`hop-status ${isBad ? "bad" : ""}`}>{hop.failure ?? status}</span>
        <span class="hop-time">{ms(hop.took_ms)}</span>
      </summary>
      <div class="hop-bytes">
        <h3>{t("request")}</h3>
        <pre tabIndex={0} aria-label={`${title}: ${t("request")}`}>
          {rawRequest(hop)}
        </pre>
        <h3>{t("response")}</h3>
        <pre tabIndex={0} aria-label={`${title}: ${t("response")}`}>
          {rawResponse(hop)}
        </pre>
        <Copy text={curlOf(hop, location.origin)} label={t("copyCurl")} />
      </div>
    </details>
  );
}

function Resend({ answer, handset }: { answer: PhoneAnswer; handset: Handset }) {
  const [isOpen, setOpen] = useState(false);
  const [draft, setDraft] = useState("");
  const [problem, setProblem] = useState<string | undefined>();
  useEffect(() => setDraft(JSON.stringify(editOf(answer), undefined, 2)), [answer]);
  if (!isOpen) {
    return (
      <Button class="resend" onClick={() => setOpen(true)}>
        {t("editResend")}
      </Button>
    );
  }
  const resend = () => {
    try {
      handset.resend(JSON.parse(draft) as WireEdit);
    } catch (error) {
      setProblem(String(error));
    }
  };
  return (
    <div class="edit-request">
      <label class="field">
        <span class="field-label">{t("editLabel")}</span>
        <textarea
          rows={12}
          spellcheck={false}
          value={draft}
          onInput={(event) => setDraft(event.currentTarget.value)}
        />
      </label>
      {problem !== undefined && <p class="problem">{problem}</p>}
      <div class="actions">
        <Button kind="primary" onClick={resend}>
          {t("resend")}
        </Button>
        <Button onClick={() => setOpen(false)}>{t("cancel")}</Button>
      </div>
    </div>
  );
}

function editOf({ request }: PhoneAnswer): WireEdit {
  return {
    method: request?.method ?? "POST",
    query: request?.query ?? "",
    headers: request?.headers ?? {},
    body: request?.body ?? "",
  };
}
