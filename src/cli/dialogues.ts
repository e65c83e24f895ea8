/** Who answers a scenario: a running gateway, or an application itself. */
import { randomBytes } from "node:crypto";
import { createCodec } from "../codecs/index.ts";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { WireError } from "../core/failure.ts";
import { describeRefusal } from "../core/refusal.ts";
import type { Backend, Reply } from "../types.ts";
import { GatewayError, type Send } from "./gateway-client.ts";
import type { Scenario } from "./scenario-file.ts";
import type { Dialogue } from "./scenario-run.ts";

const TIMEOUT_MS = 30_000;

function newSessionId(): string {
  return `sess_${randomBytes(16).toString("hex")}`;
}

/** Through a gateway's phone, on the scenario's channel. */
export function gatewayDialogue(
  scenario: Scenario,
  to: {
    readonly send: Send;
    readonly url: string;
    readonly channel: string;
    readonly adminKey: string | undefined;
  },
): Dialogue {
  const sessionId = newSessionId();
  const { msisdn, dialled } = scenario;
  let memo: string | undefined;
  return async (inputs) => {
    const body = {
      ...{ channel: scenario.channel ?? to.channel, msisdn, dialled, inputs },
      ...{ session_id: sessionId, number: inputs.length + 1, memo },
    };
    const headers = {
      "content-type": "application/json",
      ...(to.adminKey === undefined ? {} : { authorization: `Bearer ${to.adminKey}` }),
    };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await to.send(`${to.url}/api/v1/phone/turns`, request, TIMEOUT_MS);
    if (response.status !== 200)
      throw new GatewayError(`the gateway answered ${describeRefusal(response)}`);
    const said = JSON.parse(response.body) as Partial<Reply> & { readonly reason?: string };
    if (said.reason !== undefined) throw new GatewayError(`the gateway answered ${said.reason}`);
    const { screen = "", action = "end" } = said;
    ({ memo } = said);
    return { screen, action };
  };
}

/** To an application's own URL, in the protocol it speaks. */
export function backendDialogue(
  scenario: Scenario,
  to: { readonly send: Send; readonly url: string; readonly protocol: string },
): Dialogue {
  const sessionId = newSessionId();
  const codec = createCodec(to.protocol);
  const serviceCode = asServiceCode(scenario.dialled);
  if (serviceCode === undefined)
    throw new GatewayError(`${scenario.dialled} cannot be dialled at an application itself`);
  const backend: Backend = {
    ...{ id: 0, serviceCode, name: "", url: to.url, codec, method: "POST", isActive: true },
    ...{ timeoutMs: TIMEOUT_MS, retries: 0, idempotent: true, headers: {}, secret: undefined },
    ...{ inFlightMax: 1, eventsUrl: undefined },
  };
  let memo: string | undefined;
  return async (inputs) => {
    const number = inputs.length + 1;
    const turn = {
      ...{ sessionId, number, serviceCode, inputs, dialledDigits: [], provider: "test" },
      transactionId: `txn_${sessionId.slice("sess_".length)}_${number}`,
      msisdn: parseMsisdn(scenario.msisdn),
      input: inputs.at(-1) ?? "",
      memo,
    };
    const request = codec.request(turn, backend);
    const query = request.query === "" ? "" : `?${request.query}`;
    const response = await to.send(`${to.url}${request.path}${query}`, request, TIMEOUT_MS);
    try {
      const reply = codec.reply(response, turn);
      ({ memo } = reply);
      return reply;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const status = `status ${response.status}`;
      throw new GatewayError(`the answer is not ${to.protocol} (${status}): ${error.message}`);
    }
  };
}
