/** The device: its screen, its keys and what it says when nothing is on. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { ms } from "../lib/format.ts";
import { Button } from "../ui/index.tsx";
import type { HandsetState, Sim, Step } from "./model.ts";
import { isDiallable, lastStep, linesOf } from "./model.ts";
import type { Handset } from "./use-handset.ts";
import { handsetWord } from "./words.ts";

export type Skin = "smart" | "feature";
export type CodeToDial = { readonly service_code: string; readonly name: string };

const KEYS = [
  ...[["1", ""] as const, ["2", "abc"] as const, ["3", "def"] as const, ["4", "ghi"] as const],
  ...[["5", "jkl"] as const, ["6", "mno"] as const, ["7", "pqrs"] as const, ["8", "tuv"] as const],
  ...[["9", "wxyz"] as const, ["*", ""] as const, ["0", "+"] as const, ["#", ""] as const],
] as const;

export function HandsetView({
  handset,
  sim,
  skin,
  codes,
  isSelected,
  onSelect,
  onClose,
}: {
  handset: Handset;
  sim: Sim | undefined;
  skin: Skin;
  codes: readonly CodeToDial[];
  isSelected: boolean;
  onSelect: () => void;
  onClose: (() => void) | undefined;
}) {
  const { state } = handset;
  const [typed, setTyped] = useState("");
  const entry = useRef<HTMLInputElement>(null);
  const language = sim?.language ?? "en";
  useEffect(() => {
    if (!state.isBusy && isSelected) entry.current?.focus({ preventScroll: true });
  }, [state.isBusy, state.steps.length, isSelected]);

  function send(text: string): void {
    setTyped("");
    void handset.submit(text);
  }
  function press(key: string): void {
    setTyped((before) => before + key);
    entry.current?.focus({ preventScroll: true });
  }
  return (
    <div
      class={`device ${skin} ${isSelected ? "selected" : ""}`}
      onFocusIn={onSelect}
      onClick={onSelect}
    >
      <div class="device-top">
        <span class="device-sim">{sim?.name ?? "–"}</span>
        <span class="device-network">{sim?.network || state.channel}</span>
        {onClose !== undefined && (
          <button
            type="button"
            class="device-close"
            aria-label={t("closeHandset")}
            onClick={onClose}
          >
            ✕
          </button>
        )}
      </div>
      <div class="glass" aria-busy={state.isBusy}>
        <Glass state={state} language={language} onKey={send} codes={codes} />
        <Entry
          {...{ state, language, typed, entry }}
          onType={setTyped}
          onSend={send}
          onLeave={handset.hangUp}
        />
      </div>
      <Keypad onPress={press} onErase={() => setTyped((before) => before.slice(0, -1))} />
      <Ends handset={handset} />
    </div>
  );
}

/** Where one types: a code at rest, an answer in a dialogue, dots at a secret. */
function Entry({
  state,
  language,
  typed,
  entry,
  onType,
  onSend,
  onLeave,
}: {
  state: HandsetState;
  language: Sim["language"];
  typed: string;
  entry: RefObject<HTMLInputElement | null>;
  onType: (text: string) => void;
  onSend: (text: string) => void;
  onLeave: () => void;
}) {
  const isOpen = state.call !== undefined;
  const isReady = state.channel !== "" && !state.isBusy && (isOpen || isDiallable(typed));
  const label = handsetWord(language, isOpen ? "answer" : "code");
  return (
    <form
      class="entry"
      autocomplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) onSend(typed);
      }}
    >
      <input
        ref={entry}
        class="entry-text"
        {...(state.asksSecret
          ? { type: "password" as const }
          : { type: "text" as const, inputMode: isOpen ? "text" : "tel" })}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        maxLength={182}
        aria-label={label}
        placeholder={isOpen ? label : "*365#"}
        value={typed}
        onInput={(event) => onType(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && isOpen) onLeave();
        }}
      />
      <button type="submit" class="entry-send" disabled={!isReady}>
        {handsetWord(language, isOpen ? "send" : "dial")}
      </button>
    </form>
  );
}

function Glass({
  state,
  language,
  onKey,
  codes,
}: {
  state: HandsetState;
  language: Sim["language"];
  onKey: (key: string) => void;
  codes: readonly CodeToDial[];
}) {
  const step = lastStep(state);
  if (state.isBusy) {
    return (
      <div class="glass-body waiting" role="status">
        <span class="spinner" aria-hidden="true" />
        {handsetWord(language, "running")}
      </div>
    );
  }
  if (step === undefined) {
    return (
      <div class="glass-body rest">
        <p>{codes.length === 0 ? t("phoneRestNoCode") : t("phoneRest")}</p>
        <ul class="rest-codes">
          {codes.slice(0, 5).map(({ service_code, name }) => (
            <li key={service_code}>
              <button
                type="button"
                disabled={state.channel === ""}
                onClick={() => onKey(service_code)}
              >
                <b>{service_code}</b> <span>{name}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    );
  }
  return <Shown step={step} isOpen={state.call !== undefined} language={language} onKey={onKey} />;
}

function Shown({
  step,
  isOpen,
  language,
  onKey,
}: {
  step: Step;
  isOpen: boolean;
  language: Sim["language"];
  onKey: (key: string) => void;
}) {
  const { answer } = step;
  const message =
    step.problem ??
    (step.kind === "hangup" || step.kind === "drop"
      ? handsetWord(language, step.kind === "hangup" ? "ended" : "dropped")
      : answer?.outcome === "screen"
        ? undefined
        : handsetWord(language, answer?.outcome === "operator_timeout" ? "timeout" : "lost"));
  if (message !== undefined || answer === undefined) {
    return (
      <div class="glass-body notice" role="status">
        {message}
        {answer?.reason !== undefined && <small class="soft">{answer.reason}</small>}
      </div>
    );
  }
  const { screen = "", page } = answer;
  return (
    <div class="glass-body">
      <div class="screen" aria-live="polite">
        {linesOf(screen).map(({ text, key }, index) =>
          isOpen && key !== undefined ? (
            <button type="button" class="line option" key={index} onClick={() => onKey(key)}>
              {text}
            </button>
          ) : (
            <span class="line" key={index}>
              {text === "" ? "\u00a0" : text}
            </span>
          ),
        )}
      </div>
      <p class="count">
        <span>
          {answer.units}/{answer.units_max} {answer.alphabet === "ucs2" ? "UCS-2" : "GSM-7"}
        </span>
        {page !== null && (
          <span>
            {t("page")} {page.number}/{page.of}
          </span>
        )}
        <span>{ms(answer.took_ms)}</span>
        {!isOpen && <span class="count-end">{t("ended")}</span>}
      </p>
    </div>
  );
}

function Keypad({ onPress, onErase }: { onPress: (key: string) => void; onErase: () => void }) {
  return (
    <div class="keypad" role="group" aria-label={t("keypad")}>
      {KEYS.map(([key, letters]) => (
        <button
          type="button"
          key={key}
          class="key"
          data-letters={letters}
          onClick={() => onPress(key)}
        >
          {key}
        </button>
      ))}
      <button type="button" class="key erase" aria-label={t("erase")} onClick={onErase}>
        ⌫
      </button>
    </div>
  );
}

function Ends({ handset }: { handset: Handset }) {
  const { call, lastDialled, isBusy } = handset.state;
  const isOpen = call !== undefined;
  return (
    <div class="ends">
      <Button disabled={lastDialled === "" || isBusy} onClick={handset.redial}>
        {t("redial")}
      </Button>
      <Button disabled={!isOpen} title={t("dropHint")} onClick={handset.drop}>
        {t("drop")}
      </Button>
      <Button kind="danger" disabled={!isOpen} title={t("hangUpHint")} onClick={handset.hangUp}>
        {t("hangUp")}
      </Button>
    </div>
  );
}
