import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "YateUSGW in synchronous mode",
  setUp: "Point the gateway's HTTP application at the address.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "pssr has what was dialled, twice",
    source: "yatebts.com, YateUSGW setup and REST API; screen made up",
    request: `
GET /?id=gw-101&msisdn=12345678&operation=pssr&code=*100*012345%23&text=*100*012345%23 HTTP/1.1
`,
    inbound: {
      sessionId: "gw-101",
      msisdn: "12345678",
      phase: "begin",
      dialled: "*100*012345#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    turn: { serviceCode: "*100#", inputs: ["012345"], dialledDigits: ["012345"] },
    reply: { action: "continue", screen: "Welcome\n1. Balance" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

Welcome
1. Balance`,
  },
  {
    title: "ussr has the latest answer; the header closes",
    source: "yatebts.com, YateUSGW setup and REST API; answer and screen made up",
    request: `
GET /?id=gw-101&msisdn=12345678&operation=ussr&code=*100%23&text=a*b%23 HTTP/1.1
`,
    inbound: {
      sessionId: "gw-101",
      msisdn: "12345678",
      phase: "continue",
      dialled: "*100#",
      input: { kind: "latest", text: "a*b#" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "end", screen: "Adiós, señora" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8
operation: pssr

Adiós, señora`,
  },
  {
    title: "stop is over and gets an empty text",
    source: "yatebts.com, YateUSGW setup and REST API",
    request: `
GET /?id=gw-101&msisdn=12345678&operation=stop&code=*100%23 HTTP/1.1
`,
    inbound: {
      sessionId: "gw-101",
      msisdn: "12345678",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

`,
  },
  {
    title: "ussn says that a notification was read: it changes nothing",
    source: "yatebts.com, YateUSGW setup and REST API",
    request: `
GET /?id=gw-101&msisdn=12345678&operation=ussn&code=*100%23&text= HTTP/1.1
`,
    inbound: {
      sessionId: "gw-101",
      msisdn: "12345678",
      phase: "notice",
      dialled: "*100#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

`,
  },
  {
    title: "a request without an operation is refused: the template lacks it",
    source: "yatebts.com, YateUSGW setup and REST API",
    request: `
GET /?id=gw-101&msisdn=12345678&code=*100%23&text=1 HTTP/1.1
`,
    error: "missing_field",
  },
];
