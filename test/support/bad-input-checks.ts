/** What RELIABILITY 9 says an answer must be, and the turns that reached the backend. */
import assert from "node:assert/strict";
import type { ScriptedBackend } from "../../src/testing/scripted-backend.ts";
import { fill, type Line, type Values } from "./bad-inputs.ts";
import type { Answer } from "./wire.ts";

export const isOk = (status: number) => status >= 200 && status < 300;
const STACK = /(?:^|\\n|\n)\s*at .+[:(].+:\d+:\d+|node_modules|\.ts:\d+/;

export function checkAnswer(line: Line, answer: Answer, values: Values): void {
  const { status, body, tookMs } = answer;
  const said = `${status} ${body.slice(0, 500)}`;
  const wanted = [line.expect_status, ...(line.expect_any ?? [])];
  assert.ok(wanted.includes(status), `wanted ${wanted.join(" or ")}, got ${said}`);
  assert.doesNotMatch(body, STACK);
  if (line.expect_error !== undefined && status === line.expect_status) {
    assert.equal((JSON.parse(body) as { error: unknown }).error, line.expect_error, said);
  }
  if (line.expect_body_not !== undefined) {
    assert.doesNotMatch(body, new RegExp(fill(line.expect_body_not, values)));
  }
  if (line.expect_ms !== undefined) {
    const [min, max] = line.expect_ms;
    assert.ok(tookMs >= min && tookMs <= max, `${tookMs} ms, not ${min} to ${max}`);
  }
  if (!isOk(status)) return;
  if (line.expect_body !== undefined) {
    assert.match(body, new RegExp(fill(line.expect_body, values)));
  }
  if (line.expect_max_chars !== undefined) {
    const screen = body.replace(/^(?:CON|END) /, "");
    const charactersMax = isGsm(screen) ? line.expect_max_chars : 80;
    assert.ok([...screen].length <= charactersMax, `${[...screen].length} characters`);
  }
}

/** 3GPP TS 23.038, 6.2.1 and its extension table, written out here and not taken from src/. */
const GSM_BEYOND_ASCII = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà€";
const isGsm = (text: string) =>
  [...text].every((char) => /[\n\r -_a-~]/.test(char) || GSM_BEYOND_ASCII.includes(char));

export function checkCalls(
  line: Line,
  { status }: Answer,
  requests: ScriptedBackend["requests"],
): void {
  const turns = requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  if (line.expect_backend_calls !== undefined) {
    assert.equal(turns.length, line.expect_backend_calls, "calls of the backend");
  }
  if (line.expect_same_txn) {
    const ids = new Set(turns.map(({ transaction_id }) => transaction_id));
    assert.equal(ids.size, 1, `transaction ids: ${[...ids].join(", ")}`);
  }
  if (line.expect_backend === undefined || !isOk(status)) return;
  const last = turns.at(-1) ?? {};
  for (const [field, value] of Object.entries(line.expect_backend)) {
    assert.deepEqual(last[field], value, `${field} of the turn that reached the backend`);
  }
}
