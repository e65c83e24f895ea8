/** Who may do what, what is kept, and what was done. */
import { useLocation } from "preact-iso";
import type { ComponentType } from "preact";
import { t, type Word } from "../i18n/index.ts";
import { currentMe, may } from "../lib/me.ts";
import { useTitle } from "../lib/use-title.ts";
import { AuditPart } from "../settings/audit.tsx";
import { SystemPart } from "../settings/facts.tsx";
import { KeysPart } from "../settings/keys.tsx";
import { PasswordPart } from "../settings/password.tsx";
import { PrivacyPart } from "../settings/privacy.tsx";
import { TextsPart } from "../settings/texts.tsx";
import { UsersPart } from "../settings/users.tsx";
import { PageHead, Problem } from "../ui/index.tsx";
import "../styles/sessions.css";
import "../styles/settings.css";

type Part = { readonly name: Word; readonly needs: string; readonly show: ComponentType };
const PARTS: readonly Part[] = [
  { name: "system", needs: "settings:read", show: SystemPart },
  { name: "privacy", needs: "settings:read", show: PrivacyPart },
  { name: "texts", needs: "settings:read", show: TextsPart },
  { name: "keys", needs: "keys:write", show: KeysPart },
  { name: "users", needs: "users:write", show: UsersPart },
  { name: "audit", needs: "audit:read", show: AuditPart },
];

/** Of who signed in by name, whatever they may do. */
const OWN: Part = { name: "ownPassword", needs: "", show: PasswordPart };

export function SettingsPage() {
  useTitle(t("settings"));
  const { query } = useLocation();
  const mine = PARTS.filter(({ needs }) => may(needs));
  const shown = currentMe()?.kind === "user" ? [...mine, OWN] : mine;
  const part = shown.find(({ name }) => name === query["part"]) ?? mine[0];
  return (
    <div class="page">
      <PageHead title={t("settings")} lead={t("settingsLead")} />
      {part === undefined && <Problem text={t("mayNot")} />}
      <nav class="setting-parts" aria-label={t("settings")}>
        {shown.map(({ name }) => (
          <a
            key={name}
            href={`/console/settings?part=${name}`}
            aria-current={name === part?.name ? "page" : undefined}
          >
            {t(name)}
          </a>
        ))}
      </nav>
      {part !== undefined && <part.show key={part.name} />}
    </div>
  );
}
