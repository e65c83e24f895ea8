import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const SCHEMA = "mtvbrianking/laravel-ussd, menus/comviva.xsd and src/Simulator; values made up";
const TNM = "tnmdevs/ussd, tests/Requests/flares.request.xml; values made up";
const POST = `
POST / HTTP/1.1
content-type: text/xml; charset=UTF8
`;
const OK = `
HTTP/1.1 200
content-type: text/xml; charset=utf-8
`;
const said = {
  ...{ sessionId: "771", msisdn: "256772100100", messageId: undefined, network: undefined },
  echo: {},
} as const;

export const provider: Provider = {
  title: "Comviva Flares by XML: MTN and Airtel in East Africa, TNM",
  setUp: "Give the operator the address as the application's URL.",
};

/** Nobody has published an exchange. */
export const golden: readonly GoldenSheet[] = [];

export const vectors: readonly CodecVector[] = [
  {
    title: "a new request has what was dialled, digits after the code included",
    source: SCHEMA,
    request: `${POST}
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<request type="pull"><sessionId>771</sessionId><transactionId>t9</transactionId><msisdn>256772100100</msisdn><newRequest>1</newRequest><flowState>FD</flowState><subscriberInput>*165*2#</subscriberInput></request>`,
    inbound: {
      ...said,
      phase: "begin",
      dialled: "*165*2#",
      input: { kind: "latest", text: "" },
      echo: { transactionId: "t9" },
    },
    turn: { serviceCode: "*165#", dialledDigits: ["2"] },
    reply: { action: "continue", screen: "Olá & ê\n1. Send" },
    response: `${OK}
<response><msisdn>256772100100</msisdn><sessionId>771</sessionId><transactionId>t9</transactionId><freeflow><freeflowState>FC</freeflowState></freeflow><applicationResponse>Olá &amp; ê
1. Send</applicationResponse></response>`,
  },
  {
    title: "later the latest answer; the transaction may be left out",
    source: SCHEMA,
    request: `${POST}
<request type="pull"><sessionId>771</sessionId><transactionId/><msisdn>256772100100</msisdn><newRequest>0</newRequest><flowState>FE</flowState><subscriberInput>1*2</subscriberInput></request>`,
    inbound: {
      ...said,
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1*2" },
    },
    reply: { action: "end", screen: "Sent." },
    response: `${OK}
<response><msisdn>256772100100</msisdn><sessionId>771</sessionId><freeflow><freeflowState>FB</freeflowState></freeflow><applicationResponse>Sent.</applicationResponse></response>`,
  },
  {
    title: "TNM flags nothing: a session id not seen before begins",
    source: TNM,
    request: `${POST}
<ussd>
    <msisdn>256772100100</msisdn>
    <sessionId>771</sessionId>
    <subscriberInput>*165#</subscriberInput>
</ussd>`,
    inbound: {
      ...said,
      phase: "unknown",
      dialled: "*165#",
      input: { kind: "latest", text: "*165#" },
    },
    failure: "backend_not_found",
    reply: { action: "end", screen: "This code is not in service." },
    response: `${OK}
<response><msisdn>256772100100</msisdn><sessionId>771</sessionId><freeflow><freeflowState>FB</freeflowState></freeflow><applicationResponse>This code is not in service.</applicationResponse></response>`,
  },
  {
    title: "a request without a session is refused in the protocol's own form",
    source: SCHEMA,
    request: `${POST}
<request type="pull"><msisdn>256772100100</msisdn><newRequest>1</newRequest><subscriberInput>*165#</subscriberInput></request>`,
    error: "missing_field",
    response: `
HTTP/1.1 400
content-type: text/xml; charset=utf-8

<response><freeflow><freeflowState>FB</freeflowState></freeflow><applicationResponse>Invalid request</applicationResponse></response>`,
  },
  {
    title: "a DTD is refused",
    source: "PROTOCOLS 21.10",
    request: `${POST}
<!DOCTYPE request><request type="pull"><sessionId>771</sessionId></request>`,
    error: "bad_body",
  },
];
