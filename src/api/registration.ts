/** What is wrong, or worth knowing, about a backend that somebody wants to register. */
import { checkUrl, REFUSALS, resolveUrl, type EgressPolicy } from "../backend/egress.ts";
import { createCodec } from "../codecs/index.ts";
import type { ChannelConfig } from "../config.ts";
import { planAttempts } from "../core/attempts.ts";
import type { BackendRow } from "../types.ts";

/** RELIABILITY 2.7: the same checks when registering as when connecting. */
export async function findUrlProblem(
  text: string,
  policy: EgressPolicy,
): Promise<string | undefined> {
  const checked = checkUrl(text, policy);
  if (checked.type === "refused") return REFUSALS[checked.reason];
  const resolved = await resolveUrl(checked.url, policy);
  return resolved.type === "refused" ? REFUSALS[resolved.reason] : undefined;
}

export function findProtocolProblem(
  protocol: string,
  options: Readonly<Record<string, string>>,
): string | undefined {
  try {
    const { overLink } = createCodec(protocol, options);
    if (overLink) return `protocol ${protocol} is for channels: a backend is called over HTTP`;
    return undefined;
  } catch (error) {
    return error instanceof Error ? `protocol_options: ${error.message}` : "protocol_options";
  }
}

/** RELIABILITY 1.4: a schedule that a channel's budget will cut is accepted, and said. */
export function findWarning(
  row: BackendRow,
  channels: readonly ChannelConfig[],
): string | undefined {
  const wanted = { timeoutMs: row.timeout * 1000, retries: row.retries };
  const cut = channels.flatMap(({ name, turnBudgetMs }) => {
    const { isCut, attempts } = planAttempts(wanted, turnBudgetMs);
    const share = `${attempts.length} of ${wanted.retries + 1} attempts`;
    return isCut ? [`${name} (${turnBudgetMs / 1000} s, ${share})`] : [];
  });
  if (cut.length === 0) return undefined;
  return `a silent backend's schedule is cut by the turn budget of ${cut.join(", ")}`;
}
