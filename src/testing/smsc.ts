/**
 * A small SMSC for tests: applications bind to it, and phones dial through it. It speaks SMPP by
 * the same PDUs as the gateway, so a peer of somebody else's should be tested beside it.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";
import { randomBytes } from "node:crypto";
import type { Alphabet } from "../core/alphabets.ts";
import { asServiceCode, parseMsisdn } from "../core/address.ts";
import { fromWire, TON_INTERNATIONAL, TON_UNKNOWN, toWire } from "../transports/smpp/messages.ts";
import { createLink, type Link } from "../transports/smpp/link.ts";
import {
  COMMAND,
  cString,
  type Pdu,
  readBind,
  readShortMessage,
  STATUS,
  writeShortMessage,
} from "../transports/smpp/pdu.ts";
import type { Backend, Codec, Reply, Turn } from "../types.ts";

export type SmscOptions = {
  /** The SMPP codec, with the profile that the bound application expects. */
  readonly codec: Codec;
  readonly systemId?: string;
  readonly password?: string;
  readonly alphabet?: Alphabet;
  /** Refuses the first so many submits with ESME_RTHROTTLED. */
  readonly throttleFirst?: number;
};
export type SmscPhone = {
  readonly screen: () => string;
  readonly ended: () => boolean;
  readonly dial: (code: string) => Promise<SmscPhone>;
  readonly send: (input: string) => Promise<SmscPhone>;
};
export type Smsc = {
  readonly port: number;
  /** Resolves as soon as an application is bound. */
  readonly bound: () => Promise<void>;
  readonly phone: (msisdn: string) => SmscPhone;
  /** Hangs up on whoever is bound. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
};

const SCREEN_MS_MAX = 15_000;
const POLL_MS = 10;

/**
 * Listens on a free port of this machine.
 * @example
 * const smsc = await startSmsc({ codec, systemId: "dialyard", password: "secret" });
 * await smsc.bound(); // a gateway whose channel points at smsc.port
 * const phone = await smsc.phone("258841234567").dial("*365#");
 * await phone.send("1");
 */
export async function startSmsc(options: SmscOptions): Promise<Smsc> {
  const { codec, systemId = "dialyard", password = "secret", alphabet = "gsm7" } = options;
  const links = new Map<Link, Socket>();
  const waiting = new Map<string, { turn: Turn; done: (reply: Reply | Error) => void }>();
  let bound: Link | undefined;
  let toThrottle = options.throttleFirst ?? 0;

  function onRequest(link: Link, pdu: Pdu, respond: (status: number, body?: Buffer) => void) {
    switch (pdu.command) {
      case COMMAND.bindTransceiver: {
        const bind = readBind(pdu.body);
        if (bind.systemId !== systemId) return respond(STATUS.badSystemId, cString(""));
        if (bind.password !== password) return respond(STATUS.badPassword, cString(""));
        bound = link;
        return respond(STATUS.ok, cString("smsc"));
      }
      case COMMAND.submitSm:
        if (bound !== link) return respond(STATUS.notBound);
        if (toThrottle > 0) {
          toThrottle -= 1;
          return respond(STATUS.throttled);
        }
        respond(STATUS.ok, cString("1"));
        return show(pdu.body);
      default:
        return respond(STATUS.unknownCommand);
    }
  }

  function show(body: Buffer): void {
    const message = readShortMessage(body);
    const { headers, body: text } = toWire(message, "submit_sm", alphabet);
    const asked = waiting.get(message.destination.address);
    if (asked === undefined) return; // nobody is on the phone any more
    waiting.delete(message.destination.address);
    try {
      asked.done(codec.reply({ status: 200, headers, body: text }, asked.turn));
    } catch (error) {
      asked.done(error as Error);
    }
  }

  const server = createServer((socket) => {
    const link = createLink({
      socket,
      windowMax: 100,
      responseMs: 5_000,
      enquireMs: 30_000,
      onRequest: (pdu, respond) => onRequest(link, pdu, respond),
      onClose() {
        links.delete(link);
        if (bound === link) bound = undefined;
      },
    });
    links.set(link, socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));

  async function ask(turn: Turn): Promise<Reply> {
    const link = bound;
    if (link === undefined) throw new Error("no application is bound");
    const wire = codec.request(turn, {} as Backend);
    const ton = { source: TON_INTERNATIONAL, destination: TON_UNKNOWN };
    const shown = new Promise<Reply | Error>((done) => {
      waiting.set(turn.msisdn, { turn, done });
      setTimeout(() => done(new Error("no screen came")), SCREEN_MS_MAX).unref();
    });
    const body = writeShortMessage(fromWire(wire, alphabet, ton));
    const answered = await link.request(COMMAND.deliverSm, body);
    if (answered.type !== "response" || answered.status !== STATUS.ok) {
      waiting.delete(turn.msisdn);
      throw new Error(`deliver_sm was not taken: ${JSON.stringify(answered)}`);
    }
    const reply = await shown;
    if (reply instanceof Error) throw reply;
    return reply;
  }

  return {
    port: (server.address() as AddressInfo).port,
    async bound() {
      while (bound === undefined) await new Promise((done) => setTimeout(done, POLL_MS));
    },
    phone: (msisdn) => createPhone(msisdn, ask),
    cut: () => links.forEach((socket) => socket.destroy()),
    async close() {
      links.forEach((socket) => socket.destroy());
      await new Promise((done) => server.close(done));
    },
  };
}

function createPhone(number: string, ask: (turn: Turn) => Promise<Reply>): SmscPhone {
  const msisdn = parseMsisdn(number);
  let reply: Reply = { action: "end", screen: "" };
  let turn: Turn | undefined;
  const phone: SmscPhone = {
    screen: () => reply.screen,
    ended: () => reply.action === "end",
    async dial(code) {
      const serviceCode = asServiceCode(code);
      if (serviceCode === undefined) throw new Error(`${code} is not like *365#`);
      const sessionId = `sess_${randomBytes(16).toString("hex")}`;
      const first = { transactionId: "", number: 1, provider: "smsc", inputs: [] };
      turn = { ...first, sessionId, msisdn, serviceCode, input: "", dialledDigits: [] };
      reply = await ask(turn);
      return phone;
    },
    async send(input) {
      if (turn === undefined) throw new Error("nothing was dialled yet");
      turn = { ...turn, number: turn.number + 1, input, inputs: [...turn.inputs, input] };
      reply = await ask(turn);
      return phone;
    },
  };
  return phone;
}
