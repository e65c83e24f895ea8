/**
 * Codec and core without IO, run as a child process, in turns per CPU second: a codec alone as its
 * network's side (decode and encode), then the whole from a request's bytes to the answer's bytes,
 * with the codec as channel and backend and core between. What core is handed from outside (the
 * keyed digest) is a stand-in there, and counted in a third figure.
 */
import { codecs } from "../src/codecs/index.ts";
import { asServiceCode } from "../src/core/address.ts";
import { asksForSecret } from "../src/core/redact.ts";
import { cleanScreen, fitScreen } from "../src/core/screen.ts";
import { closeTurn, fingerprint, openTurn, type Given } from "../src/core/turn.ts";
import { createDigest } from "../src/stores/seal.ts";
import type { CodecEntry } from "../src/codecs/entry.ts";
import type { Answer, Backend, Codec, Reply, ServiceCode, Session } from "../src/types.ts";
import type { Turn, WireReply, WireRequest } from "../src/types.ts";
import { median } from "./figures.ts";

export type CoreFigure = {
  readonly codec: string;
  /** As a channel: decode, acknowledge where the screen is a call of its own, encode. */
  readonly codecAlone: number;
  /** As channel and as backend, with core. */
  readonly turnsPerCpuSecond: number;
  /** With the three HMAC-SHA256 that the gateway makes of each turn. */
  readonly withDigests: number;
};

const backends = new Map<string, Backend>();
/** Behind a code of Moolre's own: it knows no others. */
const CODE = "*203*365#";
const INPUTS = ["", "1", "2", "3", "9"];
const SCREENS = [
  "Benki ya mfano\n1. Salio\n2. Tuma pesa\n3. Lipa bili\n0. Rudi",
  "Asante.\nSalio lako ni 1,250.50\nKwaheri.",
];
const ROUNDS = 5;

const durationMs = Number(process.argv[2] ?? "300");
const digest = createDigest(Buffer.alloc(32, 7));
/** Costs nothing, and tells texts apart. */
const standIn = (text: string): string => text;

process.send?.(
  codecs.map((entry): CoreFigure => {
    const codec = codecOf(entry);
    const script = scriptOf(codec);
    return {
      codec: entry.name,
      codecAlone: turnsPerCpuSecond(() => driveCodec(codec, script)),
      turnsPerCpuSecond: turnsPerCpuSecond(() => drive(codec, script, standIn)),
      withDigests: turnsPerCpuSecond(() => drive(codec, script, digest)),
    };
  }),
);

function codecOf({ create, options }: CodecEntry): Codec {
  // Where the wire carries no code, the channel says it.
  return create("service_code" in options ? { service_code: CODE } : {});
}

/** Of what takes a dialogue from its dial to its end, and says how many turns it had. */
function turnsPerCpuSecond(takeDialogue: () => number): number {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const before = process.cpuUsage();
    const untilMs = performance.now() + durationMs / ROUNDS;
    let turns = 0;
    while (performance.now() < untilMs) {
      for (let times = 0; times < 50; times += 1) turns += takeDialogue();
    }
    const { user, system } = process.cpuUsage(before);
    return (turns * 1e6) / (user + system);
  });
  // The first is the warm-up.
  return median(rounds.slice(1));
}

type Step = {
  readonly request: WireRequest;
  readonly replied: WireReply;
  readonly answer: Answer;
};

/** Requests and the backend's replies, made once: their making is not what is measured. */
function scriptOf(codec: Codec): readonly Step[] {
  const steps: Step[] = [];
  let session: Session | undefined;
  INPUTS.forEach((input, index) => {
    const inputs = INPUTS.slice(1, index + 1);
    const request = codec.request(networkTurn(index, input, inputs), backendOf(codec));
    const isLast = index === INPUTS.length - 1;
    const screen = SCREENS[isLast ? 1 : 0] ?? "";
    const reply: Reply = { action: isLast ? "end" : "continue", screen };
    const answer = { reply, failure: undefined, serviceCode: undefined };
    let replied: WireReply | undefined;
    session = driveTurn(codec, request, session, standIn, (asked) => {
      replied = codec.encode(answer, codec.decode(asked), 0);
      return replied;
    });
    if (replied === undefined) throw new Error(`${codec.name}: no backend was asked`);
    steps.push({ request, replied, answer });
  });
  return steps;
}

/** What a network sends is what the codec sends to a backend: it speaks both ends. */
function networkTurn(index: number, input: string, inputs: readonly string[]): Turn {
  return {
    sessionId: "ATUid_1a2b3c4d5e6f",
    transactionId: `txn_${index}`,
    number: index + 1,
    msisdn: "258841234567" as Turn["msisdn"],
    serviceCode: codeOf(),
    provider: "movitel",
    input,
    inputs,
    dialledDigits: [],
  };
}

function driveCodec(codec: Codec, script: readonly Step[]): number {
  let octets = 0;
  for (const { request, answer } of script) {
    const inbound = codec.decode(request);
    octets += codec.pushes?.acknowledge(inbound).body.length ?? 0;
    octets += codec.encode(answer, inbound, 1_795_574_156_468).body.length;
  }
  if (octets === 0) throw new Error(`${codec.name}: nothing was answered`);
  return script.length;
}

function drive(codec: Codec, script: readonly Step[], keyed: Given["digest"]): number {
  let session: Session | undefined;
  for (const { request, replied } of script) {
    session = driveTurn(codec, request, session, keyed, () => replied);
  }
  if (session?.ended !== true) throw new Error(`${codec.name}: the dialogue did not end`);
  return script.length;
}

/** The pure part of src/gateway.ts, in its order. */
function driveTurn(
  codec: Codec,
  request: WireRequest,
  held: Session | undefined,
  keyed: Given["digest"],
  ask: (request: WireRequest) => WireReply,
): Session {
  const inbound = codec.decode(request);
  keyed(`kairos\n${inbound.sessionId ?? ""}\n${inbound.msisdn ?? ""}`);
  keyed(fingerprint(inbound));
  const backend = backendOf(codec);
  const opened = openTurn(inbound, held, givenOf(backend, keyed));
  if (opened.type !== "ask") throw new Error(`${codec.name}: ${opened.type} instead of a call`);
  const [call] = opened.calls;
  if (call === undefined) throw new Error(`${codec.name}: nothing to call`);
  const reply = codec.reply(ask(codec.request(call, backend)), call);
  const screen = cleanScreen(reply.screen);
  const asksSecret = reply.action === "continue" && asksForSecret(screen, []);
  const fitted = fitScreen(screen, { octetsMax: 160, transliterate: false });
  if (fitted.type !== "fits") throw new Error(`${codec.name}: the screen does not fit`);
  const shown = { ...reply, screen: fitted.screen };
  const session = closeTurn(opened.session, {
    reply: shown,
    failure: undefined,
    paging: undefined,
    asksSecret,
    lastNumber: call.number,
  });
  const serviceCode = session.serviceCode;
  codec.encode({ reply: shown, failure: undefined, serviceCode }, inbound, 1_795_574_156_468);
  return session;
}

function givenOf(backend: Backend, keyed: Given["digest"]): Given {
  return {
    routes: new Map([[backend.serviceCode, backend]]),
    backendById: () => backend,
    digest: keyed,
    freshId: "sess_0123456789abcdef0123456789abcdef",
    provider: "movitel",
    isRetransmit: false,
    redriven: false,
    lostTurns: 0,
    turnsMax: 50,
  };
}

function codeOf(): ServiceCode {
  const code = asServiceCode(CODE);
  if (code === undefined) throw new Error(`${CODE} is no service code`);
  return code;
}

function backendOf(codec: Codec): Backend {
  const known = backends.get(codec.name);
  if (known !== undefined) return known;
  const backend: Backend = {
    id: 1,
    serviceCode: codeOf(),
    name: "bench",
    url: "http://127.0.0.1/",
    codec,
    method: "POST",
    isActive: true,
    timeoutMs: 5_000,
    retries: 2,
    idempotent: true,
    headers: {},
    secret: undefined,
    inFlightMax: 100,
    eventsUrl: undefined,
  };
  backends.set(codec.name, backend);
  return backend;
}
