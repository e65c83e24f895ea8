import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet, GoldenVector } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const SOURCE = "praekelt/vumi, vumi/transports/vodacom_messaging/tests; numbers made up";
const CALLBACK = "http://127.0.0.1/foo";
const options = { callback: CALLBACK };
const GOES_ON = `
HTTP/1.1 200
content-type: text/xml; charset=utf-8

<request>
\t<headertext>Olá ê</headertext>
\t<options>
\t\t<option command="1" order="1" callback="${CALLBACK}" display="False" ></option>
\t</options>
</request>`;
const said = {
  ...{ sessionId: "123", msisdn: "27821234567", messageId: undefined, network: "web", echo: {} },
} as const;

export const provider: Provider = {
  title: "Vodacom Messaging (South Africa)",
  setUp:
    "Give them the address, and set `callback` to the same: each screen says where the next " +
    "answer goes.",
  options: { callback: "https://YOUR-HOST/ussd/vodacom-messaging/callback" },
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "vodacom-messaging",
    options: ({ config = {} }: GoldenVector) =>
      typeof config["callback"] === "string" ? { callback: config["callback"] } : {},
    standIns: { "555": "27821234567" },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "the first request is what was dialled; the screen says where the answer goes",
    source: SOURCE,
    options,
    request: `
GET /foo?ussdSessionId=123&msisdn=27821234567&provider=web&request=%2A120%2A666%23 HTTP/1.1
`,
    inbound: {
      ...said,
      phase: "begin",
      dialled: "*120*666#",
      input: { kind: "latest", text: "" },
    },
    reply: { action: "continue", screen: "Olá ê" },
    response: GOES_ON,
  },
  {
    title: "the latest answer; a screen without options is the last",
    source: SOURCE,
    options,
    request: `
GET /foo?ussdSessionId=123&msisdn=27821234567&provider=web&request=1*2%23 HTTP/1.1
`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1*2#" },
    },
    reply: { action: "end", screen: "OK" },
    response: `
HTTP/1.1 200
content-type: text/xml; charset=utf-8

<request>
\t<headertext>OK</headertext>
</request>`,
  },
  {
    title: "a request without a session is refused",
    source: SOURCE,
    request: `
GET /foo?msisdn=27821234567&provider=web&request=1*2%23 HTTP/1.1
`,
    error: "missing_field",
  },
];
