/** "Check now": a real first dial, what it answered, and what is to be said about it. */
import { useEffect, useState } from "preact/hooks";
import type { PhoneAnswer } from "../../../src/api/phone-schemas.ts";
import { t } from "../i18n/index.ts";
import { call, reasonOf } from "../lib/api.ts";
import { ms } from "../lib/format.ts";
import type { BackendShown } from "../lib/shapes.ts";
import { Hops } from "../phone/inspector.tsx";
import { linesOf } from "../phone/model.ts";
import { outcomeWord } from "../session/outcome.tsx";
import { Dialog, Loading, Problem } from "../ui/index.tsx";

const OPTIONS_MAX = 8;
const SLOW_MS = 2_000;
const MSISDN = "258840000000";

export function CheckDialog({
  backend,
  channel,
  onClose,
}: {
  backend: BackendShown;
  channel: string;
  onClose: () => void;
}) {
  const [answer, setAnswer] = useState<PhoneAnswer | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  useEffect(() => {
    const octets = crypto.getRandomValues(new Uint8Array(16));
    const id = [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");
    call<PhoneAnswer>("POST", "/api/v1/phone/turns", {
      ...{ channel, msisdn: MSISDN, session_id: `sess_${id}`, dialled: backend.service_code },
      ...{ inputs: [], number: 1 },
    }).then(setAnswer, (error: unknown) => setProblem(reasonOf(error)));
  }, []);
  return (
    <Dialog title={t("checkOf", { name: backend.name })} onClose={onClose}>
      <div class="form">
        <Problem text={problem} />
        {answer === undefined && problem === undefined && <Loading />}
        {answer !== undefined && (
          <>
            <pre class="scenario" tabIndex={0} aria-label={t("answer")}>
              {answer.screen ?? answer.reason}
            </pre>
            <ul class="remarks">
              {remarksOn(answer).map(({ isGood, text }) => (
                <li key={text} class={isGood ? "good" : "warn"}>
                  {text}
                </li>
              ))}
            </ul>
            <Hops hops={answer.hops.filter(({ to }) => to === "backend")} normalised={null} />
          </>
        )}
      </div>
    </Dialog>
  );
}

type Remark = { readonly isGood: boolean; readonly text: string };

function remarksOn(answer: PhoneAnswer): readonly Remark[] {
  const { screen = "", action, alphabet, units = 0, units_max = 0, page } = answer;
  const options = linesOf(screen).filter(({ key }) => key !== undefined);
  const { failure } = answer;
  const bad = (text: string) => [{ isGood: false, text }];
  const found = [
    ...(failure === null ? [] : bad(t("remarkFailed", { code: outcomeWord(failure) }))),
    ...(answer.took_ms > SLOW_MS ? bad(t("remarkSlow", { time: ms(answer.took_ms) })) : []),
    ...(page === null ? [] : bad(t("remarkPaged", { n: page.of }))),
    ...(alphabet === "ucs2" ? bad(t("remarkUcs2")) : []),
    ...(options.length > OPTIONS_MAX ? bad(t("remarkOptions", { n: options.length })) : []),
    ...(action === "end" && failure === null ? bad(t("remarkEnds")) : []),
  ];
  if (found.length > 0) return found;
  const text = t("remarkGood", { time: ms(answer.took_ms), n: units, max: units_max });
  return [{ isGood: true, text }];
}
