/** Turns a second and their p95: of the last hour, and as they come. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { currentLanguage, t } from "../i18n/index.ts";
import { ms } from "../lib/format.ts";
import type { LiveEvent } from "../lib/live.ts";
import { type Minute, p95 } from "./stats.ts";

const BUCKET_S = 2;
const BUCKETS_MAX = 150;
const HEIGHT = 220;
const MINUTE_S = 60;
const TURNS_A_BUCKET_MAX = 5_000;

export type Tally = {
  readonly add: (events: readonly LiveEvent[]) => void;
  /** Ends the bucket under way; its turns a second and p95. */
  readonly take: () => { readonly rate: number; readonly p95: number | undefined };
};

export function createTally(): Tally {
  let times: number[] = [];
  let turns = 0;
  return {
    add(events) {
      for (const { type, took_ms } of events) {
        if (type !== "turn") continue;
        turns += 1;
        if (took_ms !== null && times.length < TURNS_A_BUCKET_MAX) times.push(took_ms);
      }
    },
    take() {
      const taken = { rate: turns / BUCKET_S, p95: p95(times) };
      times = [];
      turns = 0;
      return taken;
    },
  };
}

/** What this page has seen since it was opened. */
export function LiveChart({ tally }: { tally: Tally }) {
  const { box, draw } = usePlot();
  useEffect(() => {
    const nowS = Math.floor(Date.now() / 1_000);
    const at = Array.from({ length: BUCKETS_MAX }, (_, n) => nowS - (BUCKETS_MAX - n) * BUCKET_S);
    const rates: (number | null)[] = at.map(() => null);
    const times: (number | null)[] = at.map(() => null);
    draw([at, rates, times]);
    // What came before this was shown is of no bucket.
    tally.take();
    const timer = setInterval(() => {
      const { rate, p95: time } = tally.take();
      for (const list of [at, rates, times]) list.shift();
      at.push(Math.floor(Date.now() / 1_000));
      rates.push(rate);
      times.push(time ?? null);
      if (document.visibilityState === "visible") draw([at, rates, times]);
    }, BUCKET_S * 1_000);
    return () => clearInterval(timer);
  }, [tally]);
  return <div ref={box} class="chart" role="img" aria-label={t("liveChart")} />;
}

/** The hour before, as the gateway counted it. */
export function HourChart({ minutes }: { minutes: readonly Minute[] }) {
  const { box, draw } = usePlot();
  useEffect(() => {
    const lastMs = Date.parse(minutes.at(-1)?.at ?? "");
    // The minute under way is not over: its turns came in fewer seconds.
    const lastS = Math.max(1, Math.min(MINUTE_S, (Date.now() - lastMs) / 1_000));
    const last = minutes.length - 1;
    draw([
      minutes.map(({ at }) => Date.parse(at) / 1_000),
      minutes.map(({ turns }, n) => turns / (n === last ? lastS : MINUTE_S)),
      minutes.map(({ turns, p95_ms }) => (turns === 0 ? null : p95_ms)),
    ]);
  }, [minutes]);
  return <div ref={box} class="chart" role="img" aria-label={t("liveChart")} />;
}

/** A plot as wide as its box; its legend says the newest values where no pointer is. */
function usePlot() {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const waiting = useRef<uPlot.AlignedData>(undefined);
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const made = new uPlot(optionsFor(current), waiting.current ?? [[], [], []], current);
    plot.current = made;
    const resizer = new ResizeObserver(() =>
      made.setSize({ width: current.clientWidth, height: HEIGHT }),
    );
    resizer.observe(current);
    return () => {
      resizer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, []);
  const draw = (values: uPlot.AlignedData) => {
    waiting.current = values;
    plot.current?.setData(values);
  };
  return { box, draw };
}

function showNewest(plot: uPlot): void {
  const idx = plot.data[0].length - 1;
  if ((plot.cursor.idx ?? null) === null && idx >= 0) plot.setLegend({ idx }, false);
}

function optionsFor(box: HTMLElement): uPlot.Options {
  const style = getComputedStyle(box);
  const color = style.color;
  const accent = style.getPropertyValue("accent-color");
  const line = style.borderTopColor;
  const axis = { stroke: color, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const font = "12px system-ui, sans-serif";
  return {
    ...{ width: box.clientWidth, height: HEIGHT },
    cursor: { y: false },
    hooks: { setCursor: [showNewest], setData: [showNewest] },
    scales: {
      ms: { range: (_, _min, max) => [0, Math.max(10, max * 1.2)] },
      y: { range: (_, _m, max) => [0, Math.max(1, max * 1.2)] },
    },
    series: [
      {
        label: t("time"),
        value: (_, at) => ((at as number | null) === null ? "–" : clockOf(at, false)),
      },
      {
        label: t("turnsPerSecond"),
        value: (_, rate) => ((rate as number | null) === null ? "–" : shownRate(rate)),
        stroke: accent,
        width: 2,
        fill: `${accent.replace("rgb(", "rgba(").replace(")", ", 0.12)")}`,
      },
      {
        label: t("turnTimes"),
        value: (_, time) => ((time as number | null) === null ? "–" : ms(time)),
        stroke: color,
        width: 1.5,
        scale: "ms",
        spanGaps: true,
        dash: [4, 3],
      },
    ],
    axes: [
      {
        ...axis,
        font,
        values: (_, ticks) => ticks.map((tick) => clockOf(tick, isByMinutes(ticks))),
      },
      { ...axis, font, size: 44 },
      {
        ...axis,
        font,
        scale: "ms",
        side: 1,
        size: 56,
        grid: { show: false },
        values: (_, ticks) =>
          ticks.map((tick) => (tick < 1_000 ? `${tick} ms` : `${tick / 1_000} s`)),
      },
    ],
  };
}

function shownRate(rate: number): string {
  return rate === 0 || rate >= 10 ? String(Math.round(rate)) : rate.toFixed(2);
}

function isByMinutes([first = 0, second = 0]: readonly number[]): boolean {
  return second - first >= MINUTE_S;
}

function clockOf(seconds: number, isShort: boolean): string {
  const style = { hour: "2-digit", minute: "2-digit", hour12: false } as const;
  const whole = isShort ? style : ({ ...style, second: "2-digit" } as const);
  return new Date(seconds * 1_000).toLocaleTimeString(currentLanguage(), whole);
}
