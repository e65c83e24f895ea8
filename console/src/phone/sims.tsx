/** SIM cards: who dials. They live in this browser. */
import { useState } from "preact/hooks";
import { LANGUAGES, t, type Language } from "../i18n/index.ts";
import { keep, kept } from "../lib/keep.ts";
import { Button, Dialog, Field } from "../ui/index.tsx";
import type { Sim } from "./model.ts";

const FIRST: readonly Sim[] = [
  { id: "1", name: "Ana", msisdn: "258841234567", network: "", language: "en" },
  { id: "2", name: "Juma", msisdn: "255754123456", network: "", language: "sw" },
];
const SIMS_MAX = 20;

export function loadSims(): readonly Sim[] {
  const sims = kept<readonly Sim[]>("sims");
  return Array.isArray(sims) && sims.length > 0 ? sims : FIRST;
}

export function SimPicker({
  sims,
  chosen,
  isLocked,
  onChoose,
  onChange,
}: {
  sims: readonly Sim[];
  chosen: string;
  /** In a dialogue: who dials cannot change. */
  isLocked: boolean;
  onChoose: (id: string) => void;
  onChange: (sims: readonly Sim[]) => void;
}) {
  const [edited, setEdited] = useState<Sim | undefined>();
  const change = (next: readonly Sim[]) => {
    keep("sims", next);
    onChange(next);
    setEdited(undefined);
  };
  const save = (sim: Sim) => {
    const isNew = !sims.some(({ id }) => id === sim.id);
    change(
      isNew ? [...sims, sim].slice(-SIMS_MAX) : sims.map((one) => (one.id === sim.id ? sim : one)),
    );
    onChoose(sim.id);
  };
  const sim = sims.find(({ id }) => id === chosen);
  return (
    <div class="sims">
      <Field label={t("sim")}>
        <select
          value={chosen}
          disabled={isLocked}
          onChange={(event) => onChoose(event.currentTarget.value)}
        >
          {sims.map(({ id, name, msisdn }) => (
            <option key={id} value={id}>
              {name} · +{msisdn}
            </option>
          ))}
        </select>
      </Field>
      <div class="sim-actions">
        <Button kind="quiet" disabled={sim === undefined} onClick={() => setEdited(sim)}>
          {t("edit")}
        </Button>
        <Button
          kind="quiet"
          onClick={() =>
            setEdited({ id: String(Date.now()), name: "", msisdn: "", network: "", language: "en" })
          }
        >
          {t("newSim")}
        </Button>
      </div>
      {edited !== undefined && (
        <SimDialog
          sim={edited}
          onSave={save}
          onClose={() => setEdited(undefined)}
          onDelete={
            sims.length > 1 && sims.some(({ id }) => id === edited.id)
              ? () => {
                  const rest = sims.filter(({ id }) => id !== edited.id);
                  change(rest);
                  onChoose(rest[0]?.id ?? "");
                }
              : undefined
          }
        />
      )}
    </div>
  );
}

function SimDialog({
  sim,
  onSave,
  onDelete,
  onClose,
}: {
  sim: Sim;
  onSave: (sim: Sim) => void;
  onDelete: (() => void) | undefined;
  onClose: () => void;
}) {
  const [draft, setDraft] = useState(sim);
  const msisdn = draft.msisdn.replace(/[\s+()-]/g, "");
  const isNumber = /^[1-9]\d{6,14}$/.test(msisdn);
  const isTried = draft.msisdn !== "";
  return (
    <Dialog title={t("sim")} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isNumber) onSave({ ...draft, msisdn, name: draft.name.trim() || `+${msisdn}` });
        }}
      >
        <Field label={t("name")}>
          <input
            value={draft.name}
            maxLength={40}
            onInput={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
          />
        </Field>
        <Field
          label={t("msisdn")}
          hint={t("msisdnHint")}
          problem={isTried && !isNumber ? t("msisdnWrong") : undefined}
        >
          <input
            value={draft.msisdn}
            inputMode="tel"
            maxLength={24}
            required
            onInput={(event) => setDraft({ ...draft, msisdn: event.currentTarget.value })}
          />
        </Field>
        <NetworkFields draft={draft} onChange={setDraft} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={!isNumber}>
            {t("save")}
          </Button>
          {onDelete !== undefined && (
            <Button kind="danger" onClick={onDelete}>
              {t("delete")}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

function NetworkFields({ draft, onChange }: { draft: Sim; onChange: (sim: Sim) => void }) {
  return (
    <>
      <Field label={t("network")} hint={t("networkHint")}>
        <input
          value={draft.network}
          maxLength={32}
          placeholder="movitel"
          onInput={(event) => onChange({ ...draft, network: event.currentTarget.value })}
        />
      </Field>
      <Field label={t("simLanguage")}>
        <select
          value={draft.language}
          onChange={(event) =>
            onChange({ ...draft, language: event.currentTarget.value as Language })
          }
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </Field>
    </>
  );
}
