/** What networks do to a turn, on purpose. */
import { t } from "../i18n/index.ts";
import type { Chaos } from "./model.ts";
import { CALM } from "./model.ts";

export function ChaosStrip({
  chaos,
  onChange,
}: {
  chaos: Chaos;
  onChange: (chaos: Chaos) => void;
}) {
  const change = (part: Partial<Chaos>) => onChange({ ...chaos, ...part });
  const isCalm = JSON.stringify(chaos) === JSON.stringify(CALM);
  return (
    <fieldset class={`chaos ${isCalm ? "" : "on"}`}>
      <legend>{t("chaos")}</legend>
      <Choice
        label={t("latency")}
        value={chaos.latencyMs}
        options={[
          [0, t("none")],
          [500, "0.5 s"],
          [2_000, "2 s"],
          [6_000, "6 s"],
        ]}
        onChange={(latencyMs) => change({ latencyMs })}
      />
      <Choice
        label={t("patience")}
        value={chaos.patienceMs}
        options={[
          [0, t("patient")],
          [300, "0.3 s"],
          [2_000, "2 s"],
          [8_000, "8 s"],
        ]}
        onChange={(patienceMs) => change({ patienceMs })}
      />
      <Choice
        label={t("screenSize")}
        value={chaos.screenOctetsMax}
        options={[
          [160, t("octets", { n: 160 })],
          [140, t("octets", { n: 140 })],
          [100, t("octets", { n: 100 })],
          [60, t("octets", { n: 60 })],
        ]}
        onChange={(screenOctetsMax) => change({ screenOctetsMax })}
      />
      <Toggle
        label={t("loseReply")}
        isOn={chaos.losesReply}
        onChange={(losesReply) => change({ losesReply })}
      />
      <Toggle
        label={t("sendTwice")}
        isOn={chaos.sendsTwice}
        onChange={(sendsTwice) => change({ sendsTwice })}
      />
    </fieldset>
  );
}

function Choice({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: number;
  options: readonly (readonly [number, string])[];
  onChange: (value: number) => void;
}) {
  return (
    <label class="chaos-choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(Number(event.currentTarget.value))}>
        {options.map(([number, text]) => (
          <option key={number} value={number}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Toggle({
  label,
  isOn,
  onChange,
}: {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}) {
  return (
    <label class="toggle">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
