/**
 * Networks and applications of the four protocols, written by hand from the documents and without
 * the gateway's codecs, so that a mistake in a codec cannot hide in its own mirror image.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export type Seen = { readonly screen: string; readonly isEnd: boolean; readonly status: number };
/** A handset behind one network: dials, then types answers. */
export type Phone = {
  readonly dial: (code: string) => Promise<Seen>;
  readonly type: (input: string) => Promise<Seen>;
  /** Sends the last request once more, as an aggregator does. */
  readonly again: () => Promise<Seen>;
};
export type Network = (gatewayUrl: string, msisdn: string, sessionId: string) => Phone;

async function post(
  url: string,
  contentType: string,
  body: string,
): Promise<{ status: number; body: string }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": contentType },
    body,
  });
  return { status: response.status, body: await response.text() };
}
const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

function conEnd({ status, body }: { status: number; body: string }): Seen {
  return { status, isEnd: body.startsWith("END "), screen: body.slice(4) };
}

function phone(send: (code: string, inputs: readonly string[]) => Promise<Seen>): Phone {
  let code = "";
  let inputs: readonly string[] = [];
  return {
    dial: (dialled) => {
      code = dialled;
      inputs = [];
      return send(code, inputs);
    },
    type: (input) => {
      inputs = [...inputs, input];
      return send(code, inputs);
    },
    again: () => send(code, inputs),
  };
}

export const networks: Readonly<Record<string, Network>> = {
  ola: (url, msisdn, sessionId) =>
    phone(async (code, inputs) => {
      const body = JSON.stringify({
        provider: "movitel",
        msisdn,
        session_id: sessionId,
        transaction_id: `${sessionId}-${inputs.length}`,
        service_code: code,
        input: inputs.at(-1) ?? "",
      });
      const answer = await post(`${url}/ussd/test/callback`, JSON_TYPE, body);
      const reply = JSON.parse(answer.body) as {
        output?: string[];
        end_session?: boolean;
        message?: string;
      };
      return {
        status: answer.status,
        screen: reply.output?.join("\n") ?? reply.message ?? "",
        isEnd: reply.end_session ?? true,
      };
    }),
  africastalking: (url, msisdn, sessionId) =>
    phone(async (code, inputs) => {
      const form = new URLSearchParams({
        sessionId,
        serviceCode: code,
        phoneNumber: `+${msisdn}`,
        networkCode: "63902",
        text: inputs.join("*"),
      });
      return conEnd(await post(`${url}/api/v1/ussd/`, FORM_TYPE, form.toString()));
    }),
  ixo: (url, msisdn, sessionId) =>
    phone(async (code, inputs) => {
      const body = {
        sessionId,
        serviceCode: code,
        phoneNumber: `+${msisdn}`,
        text: inputs.join("*"),
      };
      return conEnd(await post(`${url}/api/ussd`, JSON_TYPE, JSON.stringify(body)));
    }),
  kairos: (url, msisdn, sessionId) =>
    phone(async (code, inputs) => {
      const body = { msisdn, sessionId, messageType: "0", ussdString: inputs.at(-1) ?? code };
      const answer = await post(`${url}/ussd/kairos/callback`, JSON_TYPE, JSON.stringify(body));
      const reply = JSON.parse(answer.body) as { ussdString: string; messageType: string };
      return { status: answer.status, screen: reply.ussdString, isEnd: reply.messageType === "2" };
    }),
};

/** What an application is asked: what was typed as its own protocol says it. */
export type AppTurn = {
  readonly sessionId: string;
  readonly msisdn: string;
  readonly said: string;
};
export type AppAnswer = { readonly screen: string; readonly end: boolean };
export type App = {
  readonly url: string;
  readonly heard: readonly AppTurn[];
  readonly close: () => Promise<void>;
};

type Dialect = {
  readonly read: (body: string) => AppTurn & Record<string, string>;
  readonly write: (
    turn: AppTurn & Record<string, string>,
    answer: AppAnswer,
  ) => { type: string; body: string };
};
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const json = (body: string) => JSON.parse(body) as Record<string, unknown>;

const dialects: Readonly<Record<string, Dialect>> = {
  ola: {
    read(body) {
      const { msisdn, session_id, transaction_id, input } = json(body);
      return {
        msisdn: text(msisdn),
        sessionId: text(session_id),
        said: text(input),
        transaction: text(transaction_id),
      };
    },
    write: (turn, { screen, end }) => ({
      type: JSON_TYPE,
      body: JSON.stringify({
        session_id: turn.sessionId,
        transaction_id: turn["transaction"],
        output: screen.split("\n"),
        end_session: end,
      }),
    }),
  },
  africastalking: {
    read(body) {
      const form = new URLSearchParams(body);
      const { sessionId = "", phoneNumber = "", text: said = "" } = Object.fromEntries(form);
      return { sessionId, msisdn: phoneNumber.replace("+", ""), said };
    },
    write: (_, { screen, end }) => ({
      type: "text/plain",
      body: `${end ? "END" : "CON"} ${screen}`,
    }),
  },
  ixo: {
    read(body) {
      const { sessionId, phoneNumber, text: said } = json(body);
      return {
        sessionId: text(sessionId),
        msisdn: text(phoneNumber).replace("+", ""),
        said: text(said),
      };
    },
    write: (_, { screen, end }) => ({
      type: "text/plain",
      body: `${end ? "END" : "CON"} ${screen}`,
    }),
  },
  kairos: {
    read(body) {
      const { sessionId, msisdn, ussdString } = json(body);
      return { sessionId: text(sessionId), msisdn: text(msisdn), said: text(ussdString) };
    },
    write: ({ sessionId, msisdn }, { screen, end }) => ({
      type: JSON_TYPE,
      body: JSON.stringify({
        sessionId,
        msisdn,
        ussdString: screen,
        timestamp: "1",
        messageType: end ? "2" : "0",
      }),
    }),
  },
};

/** An application of that protocol on loopback, answering in the order it is asked. */
export async function startApp(
  protocol: string,
  answer: (turn: AppTurn, nth: number) => AppAnswer | Promise<AppAnswer>,
): Promise<App> {
  const dialect = dialects[protocol];
  if (dialect === undefined) throw new Error(`no dialect ${protocol}`);
  const heard: AppTurn[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    void readAll(request).then(async (body) => {
      const turn = dialect.read(body);
      heard.push(turn);
      const nth = counts.get(turn.sessionId) ?? 0;
      counts.set(turn.sessionId, nth + 1);
      const reply = dialect.write(turn, await answer(turn, nth));
      response.writeHead(200, { "content-type": reply.type }).end(reply.body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/callback`,
    heard,
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

export async function register(
  gatewayUrl: string,
  body: Record<string, unknown>,
): Promise<{ id: number }> {
  const defaults = {
    name: "Test",
    type: "http",
    method: "POST",
    status: "active",
    timeout: 5,
    retries: 2,
  };
  const response = await fetch(`${gatewayUrl}/backends`, {
    method: "POST",
    headers: { "content-type": JSON_TYPE },
    body: JSON.stringify({ ...defaults, ...body }),
  });
  if (response.status !== 201)
    throw new Error(`registration: ${response.status} ${await response.text()}`);
  return (await response.json()) as { id: number };
}
