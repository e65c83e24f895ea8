import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "Kairos Afrika USSD API docs";

const said = {
  sessionId: "171632898024603649",
  msisdn: "233559400612",
  messageId: undefined,
  network: undefined,
  echo: {},
} as const;

export const provider: Provider = {
  title: "Kairos Afrika",
  setUp:
    "Give support the address, and ask them which `messageType` ends a session: none is " +
    "documented, and `endType` is where the answer goes.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "the first ussdString is the code as dialled",
    source: `${DOCS}, Webhook Request: Example Request; Webhook Response: menu`,
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{
"msisdn": "233559400612",
"sessionId": "171632898024603649",
"messageType": "0",
"ussdString": "*889*90#"
}`,
    inbound: {
      ...said,
      phase: "begin",
      dialled: "*889*90#",
      input: { kind: "latest", text: "" },
    },
    nowMs: 1716328980246,
    reply: {
      action: "continue",
      screen: "Welcome to MyApp\n1. Check Balance\n2. Transfer Money\n3. Help\n0. Exit",
    },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionId":"171632898024603649","ussdString":"Welcome to MyApp\\n1. Check Balance\\n2. Transfer Money\\n3. Help\\n0. Exit","msisdn":"233559400612","timestamp":"1716328980246","messageType":"0"}`,
  },
  {
    title: "digits dialled after the code are part of the first ussdString",
    source: "PROTOCOLS 0, table row 3: the whole string in the first input",
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"msisdn":"233559400612","sessionId":"171632898024603649","messageType":"0","ussdString":"*365*2*500#"}`,
    inbound: {
      ...said,
      phase: "begin",
      dialled: "*365*2*500#",
      input: { kind: "latest", text: "" },
    },
    // The seventh by number: a turn was lost in a crash, and its numbers with it.
    turn: { serviceCode: "*365#", number: 7, inputs: ["2", "500"], dialledDigits: ["2", "500"] },
    reply: { action: "end", screen: "): Code not active." },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionId":"171632898024603649","ussdString":"): Code not active.","msisdn":"233559400612","timestamp":"0","messageType":"2"}`,
  },
  {
    title: "later requests carry the latest answer, stars and hashes included",
    source: `${DOCS}, Field Descriptions: ussdString; answer and screen made up`,
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"msisdn":"233559400612","sessionId":"171632898024603649","messageType":"0","ussdString":"a*b #+5%"}`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "a*b #+5%" },
    },
    reply: { action: "continue", screen: "Confirmez l'opération « a*b » :\n1. Oui" },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionId":"171632898024603649","ussdString":"Confirmez l'opération « a*b » :\\n1. Oui","msisdn":"233559400612","timestamp":"0","messageType":"0"}`,
  },
  {
    title: "an empty answer is an answer, also in the other direction",
    source: `${DOCS}, Field Descriptions: ussdString; made up`,
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"msisdn":"233559400612","sessionId":"171632898024603649","messageType":"0","ussdString":""}`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "" },
    },
    reply: { action: "continue", screen: "Please choose.\n1. Yes" },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionId":"171632898024603649","ussdString":"Please choose.\\n1. Yes","msisdn":"233559400612","timestamp":"0","messageType":"0"}`,
  },
  {
    title: "the message types of an account are options",
    source: "PROTOCOLS 1, best reading: both overridable",
    options: { continueType: "1", endType: "end" },
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"msisdn":"233559400612","sessionId":"171632898024603649","messageType":"0","ussdString":"1"}`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1" },
    },
    reply: { action: "end", screen: "Goodbye" },
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionId":"171632898024603649","ussdString":"Goodbye","msisdn":"233559400612","timestamp":"0","messageType":"end"}`,
  },
  {
    title: "a cancel is a notice, whatever its ussdString, and gets the five fields back",
    source: "MTN MADAPI messageType 4, cancel (PROTOCOLS 1, best reading)",
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"msisdn":"233559400612","sessionId":"171632898024603649","messageType":"4","ussdString":"*889*90#"}`,
    inbound: { ...said, phase: "abort", dialled: undefined, input: { kind: "latest", text: "" } },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"sessionId":"171632898024603649","ussdString":"","msisdn":"233559400612","timestamp":"0","messageType":"2"}`,
  },
  {
    title: "a request without msisdn is refused",
    source: `${DOCS}, Processing the Request: "Ensure all required fields are present"`,
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"sessionId":"171632898024603649","messageType":"0","ussdString":"*889*90#"}`,
    error: "missing_field",
  },
  {
    title: "a plus before the msisdn is refused",
    source: `${DOCS}, Field Descriptions: "without the + prefix"`,
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"msisdn":"+233559400612","sessionId":"171632898024603649","messageType":"0","ussdString":"1"}`,
    error: "bad_msisdn",
  },
  {
    title: "a session id as a JSON number is refused: beyond 2^53 it would be another session's",
    source: "PROTOCOLS 0, rule 6",
    request: `
POST /ussd HTTP/1.1
content-type: application/json

{"msisdn":"233559400612","sessionId":171632898024603649,"messageType":"0","ussdString":"1"}`,
    error: "bad_field",
  },
];
