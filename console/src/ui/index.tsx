/** The small parts that pages are made of. */
import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";

type Tone = "good" | "warn" | "bad" | "calm" | "accent";

export function Chip({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`chip chip-${tone}`}>{children}</span>;
}

export function Button({
  kind = "plain",
  ...rest
}: { kind?: "primary" | "plain" | "quiet" | "danger" } & Omit<ButtonHTMLAttributes, "class"> & {
    class?: string;
  }) {
  return <button type="button" {...rest} class={`button ${kind} ${rest.class ?? ""}`} />;
}

export function Field({
  label,
  hint,
  problem,
  children,
}: {
  label: string;
  hint?: string | undefined;
  problem?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      {children}
      {hint !== undefined && <span class="hint">{hint}</span>}
      {problem !== undefined && <span class="problem">{problem}</span>}
    </label>
  );
}

export function Card({
  title,
  aside,
  children,
  class: name = "",
}: {
  title?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}) {
  return (
    <section class={`card ${name}`} aria-label={title}>
      {title !== undefined && (
        <header class="card-head">
          <h2>{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

/** What is missing, and the very thing that brings it. */
export function Empty({
  title,
  children,
  command,
}: {
  title: string;
  children?: ComponentChildren;
  command?: string | undefined;
}) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children !== undefined && <p>{children}</p>}
      {command !== undefined && <Command text={command} />}
    </div>
  );
}

export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} />
    </div>
  );
}

export function Copy({ text, label }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1_500);
    });
  };
  return (
    <Button kind="quiet" class="copy" onClick={copy} aria-live="polite">
      {isCopied ? t("copied") : (label ?? t("copy"))}
    </Button>
  );
}

export function Problem({ text }: { text: string | undefined }) {
  return text === undefined ? null : (
    <p class="banner bad" role="alert">
      {text}
    </p>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      <span class="sr">{t("loading")}</span>
    </div>
  );
}

/** A dialog of the browser's own: focus stays inside, Escape closes. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const { current } = dialog;
    if (current !== null && !current.open) current.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-label={title} onClose={onClose}>
      <header class="card-head">
        <h2>{title}</h2>
        <Button kind="quiet" aria-label={t("close")} onClick={onClose}>
          ✕
        </Button>
      </header>
      {children}
    </dialog>
  );
}

/** What cannot be undone is asked about first. */
export function SureButton({
  word,
  title,
  text,
  onSure,
}: {
  word: string;
  title: string;
  text: string;
  onSure: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button kind="danger" onClick={() => setOpen(true)}>
        {word}
      </Button>
      {isOpen && (
        <Dialog title={title} onClose={close}>
          <div class="form">
            <p>{text}</p>
            <div class="actions">
              <Button
                kind="danger"
                onClick={() => {
                  close();
                  onSure();
                }}
              >
                {word}
              </Button>
              <Button onClick={close}>{t("cancel")}</Button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  );
}

export function PageHead({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </div>
  );
}
