/** The conversation on a handset as a scenario file. */
import { useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { download } from "../lib/download.ts";
import { scenarioText, type Recorded } from "../lib/scenario.ts";
import { Button, Copy, Dialog, Field } from "../ui/index.tsx";
import type { HandsetState, Sim, Step } from "./model.ts";

export function RecordButton({ state, sim }: { state: HandsetState; sim: Sim | undefined }) {
  const [isOpen, setOpen] = useState(false);
  const steps = state.steps.flatMap(recorded);
  return (
    <>
      <Button disabled={steps.length === 0} onClick={() => setOpen(true)}>
        {t("saveScenario")}
      </Button>
      {isOpen && (
        <ScenarioDialog
          onClose={() => setOpen(false)}
          text={(name) =>
            scenarioText({
              ...{ name, steps, channel: state.channel, dialled: state.lastDialled },
              msisdn: sim?.msisdn ?? "",
            })
          }
        />
      )}
    </>
  );
}

/** What was typed and shown; repeats and lost replies are the network's, not the dialogue's. */
function recorded({ kind, typed, isSecret, answer }: Step): readonly Recorded[] {
  if (kind !== "dial" && kind !== "send") return [];
  if (answer?.outcome !== "screen") return [];
  return [{ typed, isSecret, screen: answer.screen ?? "", isEnd: answer.action === "end" }];
}

export function ScenarioDialog({
  text,
  onClose,
}: {
  text: (name: string) => string;
  onClose: () => void;
}) {
  const [name, setName] = useState(t("scenarioName"));
  const shown = text(name);
  const file = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-") || "scenario"}.yml`;
  return (
    <Dialog title={t("saveScenario")} onClose={onClose}>
      <div class="form">
        <Field label={t("name")}>
          <input
            value={name}
            maxLength={80}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <pre class="scenario" tabIndex={0} aria-label={t("scenario")}>
          {shown}
        </pre>
        <p class="hint">{t("scenarioHint", { file: `scenarios/${file}` })}</p>
        <div class="actions">
          <Button kind="primary" onClick={() => download(file, shown, "text/yaml")}>
            {t("download")}
          </Button>
          <Copy text={shown} />
        </div>
      </div>
    </Dialog>
  );
}
