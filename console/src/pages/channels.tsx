/** Channels: where operators and aggregators call, and whether they have. */
import { t } from "../i18n/index.ts";
import { dateTime, ms } from "../lib/format.ts";
import type { ChannelShown, SessionPage } from "../lib/shapes.ts";
import { useLoad } from "../lib/use-load.ts";
import { useTitle } from "../lib/use-title.ts";
import { commandOf } from "../phone/wire.ts";
import { Chip, Command, Copy, Empty, Loading, PageHead, Problem } from "../ui/index.tsx";
import "../styles/backends.css";

const REFRESH_MS = 5_000;
type List = { readonly channels: readonly ChannelShown[] };

export function ChannelsPage() {
  useTitle(t("channels"));
  const list = useLoad<List>("/api/v1/channels", REFRESH_MS);
  const rows = list.value?.channels;
  return (
    <div class="page">
      <PageHead title={t("channels")} lead={t("channelsLead")} />
      <Problem text={list.problem} />
      {rows === undefined && list.problem === undefined && <Loading />}
      {rows?.length === 0 && <Empty title={t("noChannels")}>{t("noChannelsHint")}</Empty>}
      <ul class="cards">
        {rows?.map((channel) => (
          <ChannelCard key={channel.name} channel={channel} />
        ))}
      </ul>
    </div>
  );
}

function ChannelCard({ channel }: { channel: ChannelShown }) {
  const { name, protocol, path, provider, turn_budget_ms, screen_octets_max } = channel;
  const { last_request_at, test_request } = channel;
  const latest = useLoad<SessionPage>(`/api/v1/sessions?channel=${name}&limit=1`, REFRESH_MS);
  const session = latest.value?.sessions[0];
  const url = path === undefined ? undefined : `${location.origin}${path}`;
  return (
    <li class="card channel">
      <div class="backend-head">
        <h2>{name}</h2>
        <Seen at={last_request_at} sessionAt={session?.last_at} />
      </div>
      <p class="soft backend-facts">
        {protocol} · {provider} ·{" "}
        {t("channelLimits", { time: ms(turn_budget_ms), n: screen_octets_max })}
      </p>
      {url === undefined ? (
        <p class="soft">{t("overLink")}</p>
      ) : (
        <>
          <div class="command url">
            <pre tabIndex={0} aria-label={t("callbackUrl")}>
              {url}
            </pre>
            <Copy text={url} />
          </div>
          {test_request !== null && last_request_at === null && (
            <details class="more-fields">
              <summary>{t("testWithout")}</summary>
              <Command text={commandOf(test_request, location.origin)} />
              <p class="hint">{t("testSigned")}</p>
            </details>
          )}
        </>
      )}
      <Rejects rejects={channel.rejects} />
      {session !== undefined && (
        <p class="backend-facts">
          <a href={`/console/sessions?channel=${name}`}>{t("itsSessions")}</a>
        </p>
      )}
    </li>
  );
}

/** What the phone dials is no request of the network's: only that ends the waiting. */
function Seen({ at, sessionAt }: { at: string | null; sessionAt: string | undefined }) {
  if (at !== null) return <Chip tone="good">{t("lastSeen", { time: dateTime(at) })}</Chip>;
  return (
    <Chip tone="calm">
      {sessionAt === undefined
        ? t("waitingFirst")
        : t("lastOnPhone", { time: dateTime(sessionAt) })}
    </Chip>
  );
}

/** What it refused since this node started, newest first. */
function Rejects({ rejects }: Pick<ChannelShown, "rejects">) {
  if (rejects.length === 0) return null;
  return (
    <details class="more-fields">
      <summary>{t("rejects", { n: rejects.length })}</summary>
      <ul class="remarks">
        {rejects.map(({ status, reason, count, last_at }) => (
          <li key={`${status} ${reason}`} class="warn">
            <span class="mono">{status}</span> {reason}{" "}
            <span class="soft">{t("rejectTimes", { n: count, time: dateTime(last_at) })}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
