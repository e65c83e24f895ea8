/** Turns a second and their p95, as they come: what this page has seen since it was opened. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { currentLanguage, t } from "../i18n/index.ts";
import type { LiveEvent } from "../lib/live.ts";
import { p95 } from "./stats.ts";

const BUCKET_S = 2;
const BUCKETS_MAX = 150;
const HEIGHT = 220;
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

export function LiveChart({ tally }: { tally: Tally }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const nowS = Math.floor(Date.now() / 1_000);
    const at: number[] = [];
    const rates: (number | null)[] = [];
    const times: (number | null)[] = [];
    for (let index = BUCKETS_MAX; index > 0; index -= 1) {
      at.push(nowS - index * BUCKET_S);
      rates.push(null);
      times.push(null);
    }
    const plot = new uPlot(optionsFor(current), [at, rates, times], current);
    const timer = setInterval(() => {
      const { rate, p95: time } = tally.take();
      for (const list of [at, rates, times]) list.shift();
      at.push(Math.floor(Date.now() / 1_000));
      rates.push(rate);
      times.push(time ?? null);
      if (document.visibilityState === "visible") plot.setData([at, rates, times]);
    }, BUCKET_S * 1_000);
    const resizer = new ResizeObserver(() =>
      plot.setSize({ width: current.clientWidth, height: HEIGHT }),
    );
    resizer.observe(current);
    return () => {
      clearInterval(timer);
      resizer.disconnect();
      plot.destroy();
    };
  }, [tally]);
  return <div ref={box} class="chart" role="img" aria-label={t("liveChart")} />;
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
    scales: {
      ms: { range: (_, _min, max) => [0, Math.max(10, max * 1.2)] },
      y: { range: (_, _m, max) => [0, Math.max(1, max * 1.2)] },
    },
    series: [
      {},
      {
        label: t("turnsPerSecond"),
        stroke: accent,
        width: 2,
        fill: `${accent.replace("rgb(", "rgba(").replace(")", ", 0.12)")}`,
      },
      {
        label: t("turnTimes"),
        stroke: color,
        width: 1.5,
        scale: "ms",
        spanGaps: true,
        dash: [4, 3],
      },
    ],
    axes: [
      { ...axis, font, values: (_, ticks) => ticks.map(clockOf) },
      { ...axis, font, size: 44 },
      {
        ...axis,
        font,
        scale: "ms",
        side: 1,
        size: 56,
        grid: { show: false },
        values: (_, ticks) => ticks.map((tick) => `${tick} ms`),
      },
    ],
  };
}

function clockOf(seconds: number): string {
  const style = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const;
  return new Date(seconds * 1_000).toLocaleTimeString(currentLanguage(), style);
}
