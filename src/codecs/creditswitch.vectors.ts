import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "Creditswitch (Nigeria)",
  setUp: "Give Creditswitch the address; they ask it by GET and show 140 characters.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "a begin has what was dialled",
    source: "PROTOCOLS 18, Creditswitch; values made up",
    request: `
GET /?msisdn=2348031234567&sessionid=cs-1&network=MTN&action=begin&input=*365%23&allinput= HTTP/1.1
`,
    inbound: {
      sessionId: "cs-1",
      msisdn: "2348031234567",
      phase: "begin",
      dialled: "*365#",
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "MTN",
      echo: {},
    },
    reply: { action: "continue", screen: "Welcome\n1. Airtime" },
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"Welcome\\n1. Airtime","action":"request"}`,
  },
  {
    title: "a request has the latest answer, and all of them besides",
    source: "PROTOCOLS 18, Creditswitch; values made up",
    request: `
GET /?msisdn=2348031234567&sessionid=cs-1&network=MTN&action=request&input=a*b%23&allinput=1*a*b%23 HTTP/1.1
`,
    inbound: {
      sessionId: "cs-1",
      msisdn: "2348031234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "a*b#" },
      messageId: undefined,
      network: "MTN",
      echo: {},
    },
    turn: { inputs: ["1", "a*b#"] },
    reply: { action: "end", screen: "Paid: ₦500" },
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"Paid: ₦500","action":"end"}`,
  },
  {
    title: "an end is a notice",
    source: "PROTOCOLS 18, Creditswitch; values made up",
    request: `
GET /?msisdn=2348031234567&sessionid=cs-1&network=MTN&action=end HTTP/1.1
`,
    inbound: {
      sessionId: "cs-1",
      msisdn: "2348031234567",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      messageId: undefined,
      network: "MTN",
      echo: {},
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"message":"","action":"end"}`,
  },
  {
    title: "an action of no meaning is refused",
    source: "PROTOCOLS 18, Creditswitch; values made up",
    request: `
GET /?msisdn=2348031234567&sessionid=cs-1&network=MTN&action=stop&input=1 HTTP/1.1
`,
    error: "bad_field",
  },
  {
    title: "a request without action is refused",
    source: "PROTOCOLS 18, Creditswitch; values made up",
    request: `
GET /?msisdn=2348031234567&sessionid=cs-1&network=MTN&input=1 HTTP/1.1
`,
    error: "missing_field",
  },
];
