/** The phone: handsets, who dials through what, and everything that went over the wires. */
import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { t } from "../i18n/index.ts";
import { keep, kept } from "../lib/keep.ts";
import { get } from "../lib/api.ts";
import { currentMe, may } from "../lib/me.ts";
import type { BackendShown, ChannelShown, SessionDetail } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { ChaosStrip } from "../phone/chaos.tsx";
import { HandsetView, type CodeToDial, type Skin } from "../phone/handset.tsx";
import { Inspector } from "../phone/inspector.tsx";
import type { Sim } from "../phone/model.ts";
import { RecordButton } from "../phone/record.tsx";
import { loadSims, SimPicker } from "../phone/sims.tsx";
import { type Handset, useHandset } from "../phone/use-handset.ts";
import { Button, Dialog, Field, PageHead, Problem } from "../ui/index.tsx";
import "../styles/phone.css";

const HANDSETS_MAX = 4;

export function PhonePage() {
  useTitle(t("phone"));
  if (currentMe() === undefined || may("phone:dial")) return <Handsets />;
  return (
    <div class="page">
      <PageHead title={t("phone")} />
      <Problem text={t("mayNotDial")} />
    </div>
  );
}

function Handsets() {
  const { query } = useLocation();
  const channels = useLoad<{ readonly channels: readonly ChannelShown[] }>("/api/v1/channels");
  const backends = useLoad<readonly BackendShown[]>("/backends", 10_000);
  const [sims, setSims] = useState(loadSims);
  const [skin, setSkin] = useState<Skin>(() => kept<Skin>("skin") ?? "smart");
  const [ids, setIds] = useState<readonly number[]>([0]);
  const [selected, setSelected] = useState(0);

  const dialable = (channels.value?.channels ?? []).filter(({ path }) => path !== undefined);
  const codes = (backends.value ?? []).filter(({ status }) => status === "active");
  const consent = useConsent((query["code"] ?? query["replay"]) !== undefined);
  const chooseSkin = (next: Skin) => {
    keep("skin", next);
    setSkin(next);
  };
  return (
    <div class={`phone-page ${ids.length > 1 ? "many" : ""}`}>
      <h1 class="sr">{t("phone")}</h1>
      <Problem text={channels.problem ?? backends.problem} />
      {ids.map((id, index) => (
        <Place
          key={id}
          {...{ sims, setSims, skin, codes, channels: dialable }}
          index={index}
          isSelected={id === selected}
          code={index === 0 && consent.isGiven ? query["code"] : undefined}
          replay={consent.isGiven ? query["replay"] : undefined}
          onSelect={() => setSelected(id)}
          onClose={
            ids.length === 1
              ? undefined
              : () => {
                  const rest = ids.filter((other) => other !== id);
                  setIds(rest);
                  setSelected(rest[0] ?? 0);
                }
          }
        >
          <SkinChoice skin={skin} onChoose={chooseSkin} />
          <Button
            kind="quiet"
            disabled={ids.length >= HANDSETS_MAX}
            onClick={() => {
              const id = Math.max(...ids) + 1;
              setIds([...ids, id]);
              setSelected(id);
            }}
          >
            {t("addHandset")}
          </Button>
        </Place>
      ))}
      {consent.dialog}
    </div>
  );
}

function SkinChoice({ skin, onChoose }: { skin: Skin; onChoose: (skin: Skin) => void }) {
  return (
    <div class="segmented" role="group" aria-label={t("skin")}>
      {(["smart", "feature"] as const).map((one) => (
        <button type="button" key={one} aria-pressed={skin === one} onClick={() => onChoose(one)}>
          {t(one === "smart" ? "skinSmart" : "skinFeature")}
        </button>
      ))}
    </div>
  );
}

/**
 * A link dials by being opened. Where one has to sign in, applications do for real what they are
 * asked, and whoever sent the link may have meant just that: there it is asked about first.
 */
function useConsent(isLinked: boolean) {
  const [state, setState] = useState<"given" | "asked" | "refused">(
    currentMe()?.kind === "loopback" ? "given" : "asked",
  );
  const refuse = () => setState("refused");
  const dialog = state === "asked" && isLinked && (
    <Dialog title={t("dialForReal")} onClose={refuse}>
      <div class="form">
        <p>{t("dialForRealSure")}</p>
        <div class="actions">
          <Button kind="primary" onClick={() => setState("given")}>
            {t("dialNow")}
          </Button>
          <Button onClick={refuse}>{t("cancel")}</Button>
        </div>
      </div>
    </Dialog>
  );
  return { isGiven: state === "given", dialog };
}

type PlaceProps = {
  readonly sims: readonly Sim[];
  readonly setSims: (sims: readonly Sim[]) => void;
  readonly skin: Skin;
  readonly codes: readonly CodeToDial[];
  readonly channels: readonly ChannelShown[];
  readonly index: number;
  readonly isSelected: boolean;
  readonly code: string | undefined;
  readonly replay: string | undefined;
  readonly onSelect: () => void;
  readonly onClose: (() => void) | undefined;
  readonly children: preact.ComponentChildren;
};

/** One handset with what belongs to it; its inspector shows while it is the selected one. */
function Place(props: PlaceProps) {
  const { sims, channels, index, isSelected, code } = props;
  const remembered = kept<string>("channel");
  const channel = channels.find(({ name }) => name === remembered)?.name ?? channels[0]?.name ?? "";
  const simId = sims[index % sims.length]?.id ?? "";
  const handset = useHandset({ channel, simId }, sims);
  const { state, set } = handset;
  const sim = sims.find(({ id }) => id === state.simId);
  const isLocked = state.call !== undefined;
  useReplay(handset, index === 0 ? props.replay : undefined, channels);
  // A link that dials: "Try it" of a backend, and `dialyard dev --to`.
  useEffect(() => {
    if (code !== undefined && state.channel !== "" && state.lastDialled === "")
      void handset.submit(code);
  }, [code, state.channel]);
  const chooseChannel = (name: string) => {
    keep("channel", name);
    set({ channel: name });
  };
  return (
    <>
      {isSelected && (
        <aside class="phone-side" aria-label={t("setup")}>
          <SimPicker
            {...{ sims, isLocked }}
            chosen={state.simId}
            onChoose={(id) => set({ simId: id })}
            onChange={props.setSims}
          />
          <Field label={t("speakAs")} hint={t("speakAsHint")}>
            <select
              value={state.channel}
              disabled={isLocked}
              onChange={(event) => chooseChannel(event.currentTarget.value)}
            >
              {channels.map(({ name, protocol }) => (
                <option key={name} value={name}>
                  {name === protocol ? name : `${name} (${protocol})`}
                </option>
              ))}
            </select>
          </Field>
          <ChaosStrip chaos={state.chaos} onChange={(chaos) => set({ chaos })} />
          <div class="phone-tools">
            <RecordButton state={state} sim={sim} />
            <Button
              disabled={!isLocked || state.isBusy}
              title={t("againHint")}
              onClick={handset.again}
            >
              {t("again")}
            </Button>
          </div>
          {props.children}
        </aside>
      )}
      <HandsetView
        {...{ handset, sim, isSelected }}
        skin={props.skin}
        codes={props.codes}
        onSelect={props.onSelect}
        onClose={props.onClose}
      />
      {isSelected && (
        <section class="phone-wire" aria-label={t("inspector")}>
          <Inspector handset={handset} />
        </section>
      )}
    </>
  );
}

/** Dials and types what a session's subscriber did, up to the first secret: that was not kept. */
function useReplay(
  handset: Handset,
  id: string | undefined,
  channels: readonly ChannelShown[],
): void {
  const isReady = channels.length > 0;
  useEffect(() => {
    if (id === undefined || !isReady) return;
    void get<SessionDetail>(`/api/v1/sessions/${encodeURIComponent(id)}`).then(async (session) => {
      const isDialable = channels.some(({ name }) => name === session.channel);
      if (isDialable) handset.set({ channel: session.channel });
      await handset.submit(session.service_code ?? "");
      for (const { input, outcome } of session.records.slice(1)) {
        if (outcome === "repeat" || outcome === "abort") continue;
        if (handset.now().call === undefined || handset.now().asksSecret) return;
        await handset.submit(input);
      }
    });
  }, [id, isReady]);
}
