import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const VOICEPACT = "VoicePact USSD webhook guide";
const EVENTS = "Africa's Talking USSD docs, end-of-session notification";

const later = {
  sessionId: "ATUid_1a2b3c",
  msisdn: "233241234567",
  phase: "unknown",
  dialled: "*384*1234#",
  messageId: undefined,
  network: "62001",
  echo: {},
} as const;

export const provider: Provider = {
  title: "Africa's Talking, and aggregators that copied it",
  setUp:
    "In the dashboard under USSD, create a channel and paste the address as the callback " +
    "URL. Paste the same with `/events` behind it as the events URL: without it, nobody " +
    "hears of subscribers who hang up. Behind a clone of it, set `preset`.",
};

export const golden: readonly GoldenSheet[] = [
  { file: "africastalking" },
  {
    file: "crossgate",
    options: { preset: "crossgate" },
    standIns: { "2547XXXXXXX": "254712345678" },
  },
  { file: "techsavanna", options: { preset: "techsavanna" } },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "the first request carries no text, and VoicePact's guide no networkCode either",
    source: `${VOICEPACT}, Local Testing and Expected Response`,
    request: `
POST /api/v1/ussd/ HTTP/1.1
content-type: application/x-www-form-urlencoded

sessionId=ATUid_test123&serviceCode=*384*1234#&phoneNumber=%2B254712345678&text=`,
    inbound: {
      sessionId: "ATUid_test123",
      msisdn: "254712345678",
      phase: "unknown",
      dialled: "*384*1234#",
      input: { kind: "history", text: "" },
      messageId: undefined,
      network: undefined,
      echo: {},
    },
    reply: { action: "continue", screen: "Welcome to VoicePact\n1. View My Contracts" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Welcome to VoicePact
1. View My Contracts`,
  },
  {
    title: "later requests carry everything typed so far",
    source: `${VOICEPACT}, Example Payloads; networkCode as the API documents it`,
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded; charset=UTF-8

sessionId=ATUid_1a2b3c&serviceCode=%2A384%2A1234%23&phoneNumber=%2B233241234567&networkCode=62001&text=1%2A2`,
    inbound: { ...later, input: { kind: "history", text: "1*2" } },
    turn: { input: "2", inputs: ["1", "2"] },
    reply: { action: "continue", screen: "Your Contracts:\n0. Back" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Your Contracts:
0. Back`,
  },
  {
    title: "an end is END, whatever the screen starts with",
    source: `${VOICEPACT}, End Session (END); a screen like a prefix: RELIABILITY 2.4`,
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

sessionId=ATUid_1a2b3c&serviceCode=%2A384%2A1234%23&phoneNumber=%2B233241234567&networkCode=62001&text=1`,
    inbound: { ...later, input: { kind: "history", text: "1" } },
    reply: { action: "end", screen: "CON artists beware. Thank you!" },
    response: `
HTTP/1.1 200
content-type: text/plain

END CON artists beware. Thank you!`,
  },
  {
    title: "people type stars, hashes, plus, percent, spaces and accents",
    source: "PROTOCOLS 2, cumulative-text edge cases; screen made up",
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

sessionId=ATUid_1a2b3c&serviceCode=%2A384%2A1234%23&phoneNumber=%2B233241234567&networkCode=62001&text=7*a*b*****Jo%C3%A3o+%2B5%25%23`,
    inbound: { ...later, input: { kind: "history", text: "7*a*b*****João +5%#" } },
    turn: { input: "****João +5%#", inputs: ["7*a*b", "****João +5%#"] },
    reply: { action: "continue", screen: "Olá João, está certo?\n1. Sim" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Olá João, está certo?
1. Sim`,
  },
  {
    title: "digits dialled after the code may come as the first text",
    source: "habbes/ussd-menu-builder issue 14; PROTOCOLS 2, dialled sub-codes",
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

sessionId=ATUid_1a2b3c&serviceCode=%2A384%2A1234%23&phoneNumber=%2B233241234567&networkCode=62001&text=2%2A500`,
    inbound: { ...later, input: { kind: "history", text: "2*500" } },
    turn: { number: 1, input: "", inputs: ["2", "500"], dialledDigits: ["2", "500"] },
    reply: { action: "continue", screen: "Send 500?\n1. Yes" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Send 500?
1. Yes`,
  },
  {
    title: "an unencoded plus arrives as a space and is put back",
    source: "RELIABILITY 2.6, phoneNumber",
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

sessionId=ATUid_1a2b3c&serviceCode=*384*1234#&phoneNumber=+233241234567&networkCode=62001&text=1`,
    inbound: { ...later, input: { kind: "history", text: "1" } },
    reply: { action: "end", screen: "Thanks, paid." },
    response: `
HTTP/1.1 200
content-type: text/plain

END Thanks, paid.`,
  },
  {
    title: "the events callback says that the session is over and gets an OK",
    source: `${EVENTS}; values made up`,
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

date=2025-09-29+12%3A00%3A00&sessionId=ATUid_1a2b3c&serviceCode=%2A384%2A1234%23&networkCode=62001&phoneNumber=%2B233241234567&status=Incomplete&cost=KES+0.10&durationInMillis=21000&hopsCount=2&input=1%2A1234&lastAppResponse=CON+Enter+amount%0A0.+Back&errorMessage=`,
    inbound: { ...later, phase: "abort", input: { kind: "history", text: "" } },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: text/plain

OK`,
  },
  {
    title: "a request without sessionId is refused on a screen",
    source: `${VOICEPACT}, Webhook Payload: sessionId is required`,
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

serviceCode=*384*1234%23&phoneNumber=%2B254712345678&text=1`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: text/plain

END Invalid request: sessionId is required`,
  },
  {
    title: "a field given twice is refused: which one would count?",
    source: "RELIABILITY 2.6, webhook body",
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

sessionId=ATUid_abc123xyz&serviceCode=*384*1234%23&phoneNumber=%2B254712345678&text=&sessionId=other`,
    error: "bad_body",
    response: `
HTTP/1.1 400
content-type: text/plain

END Invalid request: sessionId is given twice`,
  },
  {
    title: "an escape that is not UTF-8 is refused",
    source: "RELIABILITY 2.6, every JSON or form body",
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

sessionId=%E0%A4%A&serviceCode=*384*1234%23&phoneNumber=%2B254712345678`,
    error: "bad_body",
  },
  {
    title: "a GET is refused: PINs would be in access logs",
    source: "RELIABILITY 2.6, webhook body",
    request: `
GET /?sessionId=ATUid_1a2b3c&text=1 HTTP/1.1
`,
    error: "bad_body",
  },
  {
    title: "Crossgate says the same by GET in words of its own, the code without star and hash",
    source: "docs.vas.crossgatesolutions.co.ke/ussd; its msisdn is masked, this one is made up",
    options: { preset: "crossgate" },
    request: `
GET /?network_code=2541&msisdn=254711000111&service_code=123&session_id=70381&ussd_string=1*2 HTTP/1.1
`,
    inbound: {
      ...later,
      sessionId: "70381",
      msisdn: "254711000111",
      dialled: "*123#",
      network: "2541",
      input: { kind: "history", text: "1*2" },
    },
    turn: { input: "2", inputs: ["1", "2"] },
    reply: { action: "continue", screen: "Amount?" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Amount?`,
  },
  {
    title: "Techsavanna's first INPUT is empty and its code has no hash",
    source: "sms.techsavanna.co.ke/dev/ussd",
    options: { preset: "techsavanna" },
    request: `
GET /?SESSIONID=634073548&USSDCODE=*468&MSISDN=254722000000&INPUT=&NETWORK=saf HTTP/1.1
`,
    inbound: {
      ...later,
      sessionId: "634073548",
      msisdn: "254722000000",
      dialled: "*468#",
      network: "saf",
      input: { kind: "history", text: "" },
    },
    reply: { action: "end", screen: "Welcome to TestUssd" },
    response: `
HTTP/1.1 200
content-type: text/plain

END Welcome to TestUssd`,
  },
  {
    title: "Advanta's INPUT begins with the code, also by POST, and an answer may be a hash",
    source: "harrykerry/advanta-africa-apis docs/ussd-api: *415*33*1#; the answer is made up",
    options: { preset: "advanta" },
    request: `
POST / HTTP/1.1
content-type: application/x-www-form-urlencoded

SESSIONID=634073548&USSDCODE=*415*33&MSISDN=254722000000&INPUT=*415*33*1*%23%23&NETWORK=saf`,
    inbound: {
      ...later,
      sessionId: "634073548",
      msisdn: "254722000000",
      dialled: "*415*33#",
      network: "saf",
      input: { kind: "history", text: "1*#" },
    },
    turn: { input: "#", inputs: ["1", "#"] },
    reply: { action: "end", screen: "Ok" },
    response: `
HTTP/1.1 200
content-type: text/plain

END Ok`,
  },
  {
    title: "a preset of which it turns out that it sends the last input alone",
    source: "PROTOCOLS 2a, Bonga: not stated; made up",
    options: { preset: "bonga", latest: "true" },
    request: `
GET /?session_id=8&mobile_number=254722000000&service_code=*468%23&message=1*2&network=saf HTTP/1.1
`,
    inbound: {
      ...later,
      sessionId: "8",
      msisdn: "254722000000",
      dialled: "*468#",
      network: "saf",
      input: { kind: "latest", text: "1*2" },
    },
    reply: { action: "continue", screen: "Next?" },
    response: `
HTTP/1.1 200
content-type: text/plain

CON Next?`,
  },
];
