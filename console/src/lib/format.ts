/** Numbers, times and subscribers as people read them. */
import { currentLanguage } from "../i18n/index.ts";

export function ms(value: number): string {
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1_000) return `${Math.round(value)} ms`;
  return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`;
}

export function seconds(value: number): string {
  if (value < 90_000) return `${Math.round(value / 1_000)} s`;
  if (value < 5_400_000) return `${Math.round(value / 60_000)} min`;
  if (value < 172_800_000) return `${Math.round(value / 3_600_000)} h`;
  return `${Math.round(value / 86_400_000)} d`;
}

/** "+258 84 ••• 4567" of "258*****4567": masked where the gateway masked it. */
export function msisdnShown(text: string): string {
  const stars = text.indexOf("*");
  if (stars < 0)
    return `+${text.slice(0, 3)} ${text.slice(3).replace(/(\d{2,3})(?=(\d{3})+$)/g, "$1 ")}`;
  return `+${text.slice(0, stars)} ••• ${text.slice(text.lastIndexOf("*") + 1)}`;
}

export function clock(iso: string): string {
  return new Date(iso).toLocaleTimeString(currentLanguage(), { hour12: false });
}

export function dateTime(iso: string): string {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  if (isToday) return clock(iso);
  const day = date.toLocaleDateString(currentLanguage(), { day: "numeric", month: "short" });
  return `${day}, ${clock(iso)}`;
}

export function octetsShown(count: number): string {
  return count < 10_000 ? `${count} B` : `${Math.round(count / 1_024)} KiB`;
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${Math.round((part / whole) * 1_000) / 10} %`;
}
