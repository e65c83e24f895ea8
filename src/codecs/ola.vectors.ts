import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const DOCS = "OLA USSD gateway API reference";

export const provider: Provider = {
  title: "OLA, the API reference of this repository's documents",
  setUp:
    "No dashboard: the network that speaks it is told the address. A channel needs " +
    "`service_code`, because requests carry none; the test door `/ussd/test/callback` is " +
    "one with `door`.",
  options: { service_code: "*365#" },
};

export const vectors: readonly CodecVector[] = [
  {
    title: "an empty input may begin a session; the code is the channel's",
    source: `${DOCS}, Example 1: Initial Dial`,
    options: { service_code: "*365#" },
    request: `
POST /ussd/callback HTTP/1.1
content-type: application/json

{
"provider": "movitel",
"msisdn": "258823456789",
"session_id": "sess_001",
"transaction_id": "txn_001",
"input": ""
}`,
    inbound: {
      sessionId: "sess_001",
      msisdn: "258823456789",
      phase: "unknown",
      dialled: "*365#",
      input: { kind: "latest", text: "" },
      messageId: "txn_001",
      network: "movitel",
      echo: { session_id: "sess_001", transaction_id: "txn_001" },
    },
    reply: {
      action: "continue",
      screen: "Welcome to MyBank\n\n1. Check Balance\n2. Transfer\n0. Exit",
    },
    response: `
HTTP/1.1 200
content-type: application/json

{"session_id":"sess_001","transaction_id":"txn_001","output":["Welcome to MyBank","","1. Check Balance","2. Transfer","0. Exit"],"end_session":false}`,
  },
  {
    title: "an answer continues, and end_session ends",
    source: `${DOCS}, Example 2: Menu Selection`,
    request: `
POST /ussd/callback HTTP/1.1
content-type: application/json

{"provider":"movitel","msisdn":"258823456789","session_id":"sess_001","transaction_id":"txn_002","input":"1"}`,
    inbound: {
      sessionId: "sess_001",
      msisdn: "258823456789",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1" },
      messageId: "txn_002",
      network: "movitel",
      echo: { session_id: "sess_001", transaction_id: "txn_002" },
    },
    reply: {
      action: "end",
      screen: "Account Balance\n\nAvailable: 1,234.56 MZN\nReserved: 100.00 MZN",
    },
    response: `
HTTP/1.1 200
content-type: application/json

{"session_id":"sess_001","transaction_id":"txn_002","output":["Account Balance","","Available: 1,234.56 MZN","Reserved: 100.00 MZN"],"end_session":true}`,
  },
  {
    title: "the provider may be left out",
    source: `${DOCS}, Example 3: Multi-Step Flow`,
    request: `
POST /ussd/callback HTTP/1.1
content-type: application/json

{"msisdn":"258843456789","session_id":"sess_002","transaction_id":"txn_101","input":"5000"}`,
    inbound: {
      sessionId: "sess_002",
      msisdn: "258843456789",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "5000" },
      messageId: "txn_101",
      network: undefined,
      echo: { session_id: "sess_002", transaction_id: "txn_101" },
    },
    reply: { action: "continue", screen: "Confirmação\n\nMontante: 5000 MZN\n\n1. Não\n2. Sim" },
    response: `
HTTP/1.1 200
content-type: application/json

{"session_id":"sess_002","transaction_id":"txn_101","output":["Confirmação","","Montante: 5000 MZN","","1. Não","2. Sim"],"end_session":false}`,
  },
  {
    title: "ids said twice identify no message; people type stars and hashes",
    source: "OLA API contract guide: providers without such a pair of ids; input made up",
    request: `
POST /ussd/callback HTTP/1.1
content-type: application/json

{"provider":"tmcel","msisdn":"258823456789","session_id":"sess_003","transaction_id":"sess_003","input":"*1*2# +%"}`,
    inbound: {
      sessionId: "sess_003",
      msisdn: "258823456789",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "*1*2# +%" },
      messageId: undefined,
      network: "tmcel",
      echo: { session_id: "sess_003", transaction_id: "sess_003" },
    },
    reply: { action: "continue", screen: "Invalid option\n\nPlease select 1-3 or 0" },
    response: `
HTTP/1.1 200
content-type: application/json

{"session_id":"sess_003","transaction_id":"sess_003","output":["Invalid option","","Please select 1-3 or 0"],"end_session":false}`,
  },
  {
    title: "the test door takes the service code in the body",
    source: `${DOCS}, Test USSD Flow`,
    options: { door: "true" },
    request: `
POST /ussd/test/callback HTTP/1.1
content-type: application/json

{
"provider": "movitel",
"msisdn": "258823456789",
"session_id": "test_sess_001",
"transaction_id": "test_txn_001",
"service_code": "*365#",
"input": ""
}`,
    inbound: {
      sessionId: "test_sess_001",
      msisdn: "258823456789",
      phase: "unknown",
      dialled: "*365#",
      input: { kind: "latest", text: "" },
      messageId: "test_txn_001",
      network: "movitel",
      echo: { session_id: "test_sess_001", transaction_id: "test_txn_001" },
    },
    reply: { action: "continue", screen: "Welcome" },
    response: `
HTTP/1.1 200
content-type: application/json

{"session_id":"test_sess_001","transaction_id":"test_txn_001","output":["Welcome"],"end_session":false}`,
  },
  {
    title: "the test door answers a failure as a gateway error",
    source: `${DOCS}, Gateway Errors`,
    options: { door: "true" },
    request: `
POST /ussd/test/callback HTTP/1.1
content-type: application/json

{"provider":"test","msisdn":"258823456789","session_id":"s","transaction_id":"t","service_code":"*365#","input":""}`,
    inbound: {
      sessionId: "s",
      msisdn: "258823456789",
      phase: "unknown",
      dialled: "*365#",
      input: { kind: "latest", text: "" },
      messageId: "t",
      network: "test",
      echo: { session_id: "s", transaction_id: "t" },
    },
    reply: { action: "end", screen: "This code is not in service." },
    failure: "backend_not_found",
    response: `
HTTP/1.1 404
content-type: application/json

{"error":"backend_not_found","message":"No backend registered for service code *365#","service_code":"*365#"}`,
  },
  {
    title: "a failure with status 200 is a screen on the test door as well",
    source: "RELIABILITY 2.6: everything a subscriber can cause is 200 and an end text",
    options: { door: "true" },
    request: `
POST /ussd/test/callback HTTP/1.1
content-type: application/json

{"provider":"test","msisdn":"258823456789","session_id":"s","transaction_id":"t","service_code":"*365#","input":"5"}`,
    inbound: {
      sessionId: "s",
      msisdn: "258823456789",
      phase: "continue",
      dialled: "*365#",
      input: { kind: "latest", text: "5" },
      messageId: "t",
      network: "test",
      echo: { session_id: "s", transaction_id: "t" },
    },
    reply: { action: "end", screen: "Session ended. Please dial again." },
    failure: "session_lost",
    response: `
HTTP/1.1 200
content-type: application/json

{"session_id":"s","transaction_id":"t","output":["Session ended. Please dial again."],"end_session":true}`,
  },
  {
    title: "a channel answers a failure as a screen: subscribers never meet an HTTP error",
    source: "RELIABILITY 2.5",
    request: `
POST /ussd/callback HTTP/1.1
content-type: application/json

{"provider":"movitel","msisdn":"258823456789","session_id":"s","transaction_id":"t","input":"1","extra":1}`,
    inbound: {
      sessionId: "s",
      msisdn: "258823456789",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1" },
      messageId: "t",
      network: "movitel",
      echo: { session_id: "s", transaction_id: "t" },
    },
    reply: { action: "end", screen: "We are confirming your request." },
    failure: "backend_timeout",
    response: `
HTTP/1.1 200
content-type: application/json

{"session_id":"s","transaction_id":"t","output":["We are confirming your request."],"end_session":true}`,
  },
  {
    title: "a request without transaction_id is refused",
    source: `${DOCS}, Best Practices 4: Validate Requests`,
    request: `
POST /ussd/callback HTTP/1.1
content-type: application/json

{"provider":"movitel","msisdn":"258823456789","session_id":"sess_001","input":""}`,
    error: "missing_field",
  },
  {
    title: "a plus before the msisdn is refused",
    source: `${DOCS}, Request Body: "E.164 without +"`,
    request: `
POST /ussd/callback HTTP/1.1
content-type: application/json

{"provider":"movitel","msisdn":"+258823456789","session_id":"s","transaction_id":"t","input":""}`,
    error: "bad_msisdn",
  },
  {
    title: "the test door is closed to unknown properties",
    source: "RELIABILITY 2.6, management and test APIs",
    options: { door: "true" },
    request: `
POST /ussd/test/callback HTTP/1.1
content-type: application/json

{"provider":"test","msisdn":"258823456789","session_id":"s","transaction_id":"t","service_code":"*365#","input":"","admin":true}`,
    error: "unknown_field",
  },
];

export const golden: readonly GoldenSheet[] = [
  {
    file: "ola",
    differs: {
      "Example 5 backend error (response only), as application":
        "a backend's 500: Dialyard itself never answers a channel with one (RELIABILITY 2.5)",
    },
  },
];
