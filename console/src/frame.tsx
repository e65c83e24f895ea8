/** What is around every page: the name, the search box, the ways to go. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import {
  currentLanguage,
  type Language,
  LANGUAGES,
  loadLanguage,
  t,
  type Word,
} from "./i18n/index.ts";
import { currentMe, signOut } from "./lib/me.ts";
import { Dialog } from "./ui/index.tsx";
import { applyTheme, chosenTheme, type Theme } from "./lib/theme.ts";

type Way = { readonly path: string; readonly word: Word; readonly key: string };
const WAYS: readonly Way[] = [
  { path: "/console", word: "overview", key: "o" },
  { path: "/console/sessions", word: "sessions", key: "s" },
  { path: "/phone", word: "phone", key: "p" },
  { path: "/console/codes", word: "codes", key: "d" },
  { path: "/console/backends", word: "backends", key: "b" },
  { path: "/console/channels", word: "channels", key: "c" },
  { path: "/console/insights", word: "insights", key: "i" },
  { path: "/console/settings", word: "settings", key: "t" },
];

export function Frame({
  children,
  isOut,
  onWordsChange,
}: {
  children: ComponentChildren;
  /** Nobody is signed in: there is nowhere to go yet. */
  isOut: boolean;
  onWordsChange: () => void;
}) {
  const { path, route } = useLocation();
  const [isHelping, setHelping] = useState(false);
  useShortcuts(route, () => setHelping(true));
  return (
    <>
      <a class="skip" href="#main">
        {t("skip")}
      </a>
      <header class="top">
        <a class="brand" href="/console">
          <Mark />
          Dialyard
        </a>
        {!isOut && <SearchBox />}
        <div class="top-end">
          <button
            type="button"
            class="button quiet keys-hint"
            aria-label={t("shortcuts")}
            title={t("shortcuts")}
            onClick={() => setHelping(true)}
          >
            ?
          </button>
          <Looks onWordsChange={onWordsChange} />
          <Who />
        </div>
      </header>
      {!isOut && <Ways path={path} />}
      <main id="main">{children}</main>
      {isHelping && <Shortcuts onClose={() => setHelping(false)} />}
    </>
  );
}

function Ways({ path }: { path: string }) {
  const ways = useRef<HTMLElement>(null);
  // On a narrow screen the ways scroll: where one is has to be among those that are seen.
  useEffect(() => {
    const { current: bar } = ways;
    const here = bar?.querySelector<HTMLElement>('[aria-current="page"]');
    if (bar && here) bar.scrollLeft = here.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
  }, [path]);
  return (
    <nav ref={ways} class="ways" aria-label={t("pages")}>
      {WAYS.map(({ path: to, word }) => (
        <a key={to} href={to} aria-current={isAt(path, to) ? "page" : undefined}>
          {t(word)}
        </a>
      ))}
      <a href="/docs" class="way-out">
        {t("docs")} ↗
      </a>
    </nav>
  );
}

function Shortcuts({ onClose }: { onClose: () => void }) {
  const rows = [
    { keys: ["/"], what: t("search") },
    ...WAYS.map(({ key, word }) => ({ keys: ["g", key], what: t(word) })),
    { keys: ["?"], what: t("shortcuts") },
  ];
  return (
    <Dialog title={t("shortcuts")} onClose={onClose}>
      <dl class="shortcuts">
        {rows.map(({ keys, what }) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function isAt(path: string, to: string): boolean {
  return to === "/console" ? path === to : path === to || path.startsWith(`${to}/`);
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <g class="mark-keys">
        {[10, 16].flatMap((y) =>
          [10, 16, 22].map((x) => <circle key={`${x}${y}`} cx={x} cy={y} r="2.4" />),
        )}
        <circle cx="16" cy="22" r="2.4" />
      </g>
    </svg>
  );
}

/** A number, a session, a code: each has a page of its own. */
export function placeOf(text: string): string | undefined {
  const wanted = text.trim();
  if (wanted === "") return undefined;
  if (/^sess_[0-9a-f]{32}$/.test(wanted)) return `/console/sessions/${wanted}`;
  const digits = wanted.replace(/[\s+()-]/g, "");
  if (/^[1-9]\d{6,14}$/.test(digits)) return `/console/sessions?msisdn=${digits}`;
  if (/^\*[\d*]+#$/.test(wanted))
    return `/console/sessions?service_code=${encodeURIComponent(wanted)}`;
  return undefined;
}

function SearchBox() {
  const { route } = useLocation();
  const [isWrong, setWrong] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const place = placeOf(input.current?.value ?? "");
        setWrong(place === undefined);
        if (place !== undefined) route(place);
      }}
    >
      <input
        ref={input}
        id="search"
        type="search"
        autocomplete="off"
        aria-label={t("search")}
        aria-invalid={isWrong}
        placeholder={t("searchHint")}
        maxLength={80}
        onInput={() => setWrong(false)}
      />
      <kbd aria-hidden="true">/</kbd>
      {isWrong && (
        <span class="search-wrong" role="alert">
          {t("searchWrong")}
        </span>
      )}
    </form>
  );
}

function Who() {
  const me = currentMe();
  if (me?.kind !== "user") return null;
  return (
    <>
      <a href="/console/settings?part=ownPassword" title={t("ownPassword")}>
        {me.name}
      </a>
      <button type="button" class="button quiet" onClick={() => void signOut()}>
        {t("signOut")}
      </button>
    </>
  );
}

function Looks({ onWordsChange }: { onWordsChange: () => void }) {
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <>
      <label>
        <span class="sr">{t("theme")}</span>
        <select
          class="quiet-select"
          value={theme}
          onChange={(event) => {
            const next = event.currentTarget.value as Theme;
            applyTheme(next);
            setTheme(next);
          }}
        >
          <option value="system">{t("themeSystem")}</option>
          <option value="light">{t("themeLight")}</option>
          <option value="dark">{t("themeDark")}</option>
        </select>
      </label>
      <label>
        <span class="sr">{t("language")}</span>
        <select
          class="quiet-select"
          value={currentLanguage()}
          onChange={(event) => {
            void loadLanguage(event.currentTarget.value as Language).then(onWordsChange);
          }}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

const CHORD_MS = 1_200;

/** "/" to search, "g" and a letter to go, "?" for this list: never while somebody types. */
function useShortcuts(route: (url: string) => void, onHelp: () => void): void {
  useEffect(() => {
    let wentAtMs = -CHORD_MS;
    const listen = (event: KeyboardEvent) => {
      const { target, key } = event;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target instanceof HTMLElement && target.closest("input, textarea, select, dialog"))
        return;
      if (key === "/") {
        event.preventDefault();
        document.getElementById("search")?.focus();
        return;
      }
      if (key === "?") return onHelp();
      const way = WAYS.find((one) => one.key === key);
      const isChord = performance.now() - wentAtMs < CHORD_MS;
      wentAtMs = key === "g" ? performance.now() : -CHORD_MS;
      if (isChord && way !== undefined) route(way.path);
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [route]);
}
