/** What subscribers read of the gateway itself, and saying it in words of one's own. */
import { useState } from "preact/hooks";
import { measureScreen, SCREEN_UNITS } from "../../../src/core/screen.ts";
import { t, tOr } from "../i18n/index.ts";
import { may } from "../lib/me.ts";
import { useLoad } from "../lib/use-load.ts";
import { Button, Card, Chip, Field, Loading, Problem } from "../ui/index.tsx";
import { useChange } from "./use-change.ts";

type Text = {
  readonly name: string;
  readonly language: string;
  readonly text: string;
  readonly built_in: string;
  readonly changed: boolean;
};
type Texts = { readonly language: string; readonly texts: readonly Text[] };

export function TextsPart() {
  const list = useLoad<Texts>("/api/v1/texts");
  const { problem, change } = useChange(list.reload);
  const [edited, setEdited] = useState<string | undefined>();
  if (list.value === undefined) return list.problem ? <Problem text={list.problem} /> : <Loading />;
  const { language, texts } = list.value;
  const store = async (one: Text, text: string | undefined) => {
    const path = `/api/v1/texts/${one.name}/${one.language}`;
    const answer = await (text === undefined
      ? change("DELETE", path)
      : change("PUT", path, { text }));
    if (answer !== undefined) setEdited(undefined);
  };
  return (
    <>
      {[...new Set(texts.map(({ name }) => name))].map((name) => (
        <Card key={name} title={tOr(`text_${name}`, name)}>
          <ul class="texts">
            {texts
              .filter((one) => one.name === name)
              .map((one) => {
                const key = `${name} ${one.language}`;
                const isRead = one.language === language;
                return edited === key ? (
                  <li key={key} class="text-edited">
                    <Problem text={problem} />
                    <TextForm
                      one={one}
                      onSave={(text) => void store(one, text)}
                      onCancel={() => setEdited(undefined)}
                    />
                  </li>
                ) : (
                  <TextRow key={key} one={one} isRead={isRead} onEdit={() => setEdited(key)} />
                );
              })}
          </ul>
        </Card>
      ))}
      <p class="soft">{t("textsLanguage")}</p>
    </>
  );
}

function TextRow({ one, isRead, onEdit }: { one: Text; isRead: boolean; onEdit: () => void }) {
  const { name, language, text, changed } = one;
  return (
    <li>
      <Chip tone={isRead ? "accent" : "calm"}>{language}</Chip>
      <span lang={language}>{text}</span>
      <span class="actions">
        {changed && <Chip tone="warn">{t("ownText")}</Chip>}
        <Count text={text} />
        {may("settings:write") && (
          <Button kind="quiet" aria-label={`${t("edit")}: ${name} ${language}`} onClick={onEdit}>
            {t("edit")}
          </Button>
        )}
      </span>
    </li>
  );
}

function TextForm(props: {
  one: Text;
  /** Undefined: the built-in one again. */
  onSave: (text: string | undefined) => void;
  onCancel: () => void;
}) {
  const { one, onSave, onCancel } = props;
  const [text, setText] = useState(one.text);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(text);
      }}
    >
      <Field
        label={`${tOr(`text_${one.name}`, one.name)} (${one.language})`}
        hint={t("builtIn", { text: one.built_in })}
      >
        <textarea
          required
          autofocus
          rows={2}
          lang={one.language}
          aria-invalid={isTooLong(text)}
          value={text}
          // A text is one line: what is pasted with several becomes one.
          onInput={(event) => setText(event.currentTarget.value.replaceAll(/\s*\n\s*/g, " "))}
        />
      </Field>
      <div class="actions">
        <Button kind="primary" type="submit" disabled={text.trim() === "" || isTooLong(text)}>
          {t("save")}
        </Button>
        <Button onClick={onCancel}>{t("cancel")}</Button>
        {one.changed && (
          <Button kind="quiet" onClick={() => onSave(undefined)}>
            {t("backToBuiltIn")}
          </Button>
        )}
        <Count text={text} />
      </div>
    </form>
  );
}

/** As on the phone: one character outside GSM-7 makes all of them dearer. */
function Count({ text }: { text: string }) {
  const { alphabet, units } = measureScreen(text);
  return (
    <span class={isTooLong(text) ? "problem" : "soft"}>
      {units}/{SCREEN_UNITS[alphabet]} {alphabet === "ucs2" ? "UCS-2" : "GSM-7"}
    </span>
  );
}

function isTooLong(text: string): boolean {
  const { alphabet, units } = measureScreen(text);
  return units > SCREEN_UNITS[alphabet];
}
