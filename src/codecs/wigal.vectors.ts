import type { CodecVector } from "../testing/codec.ts";
import type { Provider } from "../testing/shelf.ts";

export const provider: Provider = {
  title: "Wigal Frog (Ghana)",
  setUp:
    "In the Frog dashboard, paste the address as the callback of the code; `version` says " +
    "which of their two forms it is. Screens have 160 characters; Wigal asks to leave out " +
    "`$ < & '` and the grave accent on AirtelTigo.",
};

export const vectors: readonly CodecVector[] = [
  {
    title: "version 2: a START has what was dialled; lines are parted by ^",
    source:
      "frog.wigal.com.gh/developers/docs/ussd, and wigalgh/smartussd_api samples; values made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"START","msisdn":"233241234567","userdata":"*920*12#","username":"shop","trafficid":"t-1"}`,
    inbound: {
      sessionId: "w-1",
      msisdn: "233241234567",
      phase: "begin",
      dialled: "*920*12#",
      input: { kind: "latest", text: "" },
      messageId: "t-1",
      network: "MTN",
      echo: {
        body: '{"network":"MTN","sessionid":"w-1","mode":"START","msisdn":"233241234567","userdata":"*920*12#","username":"shop","trafficid":"t-1"}',
      },
    },
    reply: { action: "continue", screen: "Welcome\n1. Donate\n2. Volunteer" },
    response: `
HTTP/1.1 200
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"MORE","msisdn":"233241234567","userdata":"Welcome^1. Donate^2. Volunteer","username":"shop","trafficid":"t-1"}`,
  },
  {
    title: "version 2: the mode is in either case, the object goes back",
    source:
      "frog.wigal.com.gh/developers/docs/ussd, and wigalgh/smartussd_api samples; values made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"more","msisdn":"233241234567","userdata":"a*b#","username":"shop","trafficid":"t-2"}`,
    inbound: {
      sessionId: "w-1",
      msisdn: "233241234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "a*b#" },
      messageId: "t-2",
      network: "MTN",
      echo: {
        body: '{"network":"MTN","sessionid":"w-1","mode":"more","msisdn":"233241234567","userdata":"a*b#","username":"shop","trafficid":"t-2"}',
      },
    },
    reply: { action: "end", screen: "Merci, à bientôt" },
    response: `
HTTP/1.1 200
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"END","msisdn":"233241234567","userdata":"Merci, à bientôt","username":"shop","trafficid":"t-2"}`,
  },
  {
    title: "version 2: the sample says phonenumber",
    source:
      "frog.wigal.com.gh/developers/docs/ussd, and wigalgh/smartussd_api samples; values made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"MORE","userdata":"1","username":"shop","trafficid":"t-4","phonenumber":"233241234567"}`,
    inbound: {
      sessionId: "w-1",
      msisdn: "233241234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "1" },
      messageId: "t-4",
      network: "MTN",
      echo: {
        body: '{"network":"MTN","sessionid":"w-1","mode":"MORE","userdata":"1","username":"shop","trafficid":"t-4","phonenumber":"233241234567"}',
      },
    },
    reply: { action: "continue", screen: "Amount?" },
    response: `
HTTP/1.1 200
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"MORE","userdata":"Amount?","username":"shop","trafficid":"t-4","phonenumber":"233241234567"}`,
  },
  {
    title: "version 2: an END is a notice",
    source:
      "frog.wigal.com.gh/developers/docs/ussd, and wigalgh/smartussd_api samples; values made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"END","msisdn":"233241234567","userdata":"","username":"shop","trafficid":"t-3"}`,
    inbound: {
      sessionId: "w-1",
      msisdn: "233241234567",
      phase: "abort",
      dialled: undefined,
      input: { kind: "latest", text: "" },
      messageId: "t-3",
      network: "MTN",
      echo: {
        body: '{"network":"MTN","sessionid":"w-1","mode":"END","msisdn":"233241234567","userdata":"","username":"shop","trafficid":"t-3"}',
      },
    },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"END","msisdn":"233241234567","userdata":"","username":"shop","trafficid":"t-3"}`,
  },
  {
    title: "version 1: the answer is seven fields in their order",
    source:
      "frog.wigal.com.gh/developers/docs/ussd, and wigalgh/smartussd_api samples; values made up",
    options: { version: "1" },
    request: `
GET /?network=MTN&sessionid=w-1&mode=START&msisdn=233241234567&userdata=*920*12%23&username=shop&trafficid=t-1 HTTP/1.1
`,
    inbound: {
      sessionId: "w-1",
      msisdn: "233241234567",
      phase: "begin",
      dialled: "*920*12#",
      input: { kind: "latest", text: "" },
      messageId: "t-1",
      network: "MTN",
      echo: {
        network: "MTN",
        mode: "START",
        msisdn: "233241234567",
        sessionid: "w-1",
        userdata: "*920*12#",
        username: "shop",
        trafficid: "t-1",
      },
    },
    reply: { action: "continue", screen: "Welcome\n1. Donate" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

MTN|MORE|233241234567|w-1|Welcome^1. Donate|shop|t-1`,
  },
  {
    title: "version 1: what else was said goes back as an eighth",
    source:
      "frog.wigal.com.gh/developers/docs/ussd, and wigalgh/smartussd_api samples; values made up",
    options: { version: "1" },
    request: `
GET /?network=MTN&sessionid=w-1&mode=MORE&msisdn=233241234567&userdata=2&username=shop&trafficid=t-2&other=kept HTTP/1.1
`,
    inbound: {
      sessionId: "w-1",
      msisdn: "233241234567",
      phase: "continue",
      dialled: undefined,
      input: { kind: "latest", text: "2" },
      messageId: "t-2",
      network: "MTN",
      echo: {
        network: "MTN",
        mode: "MORE",
        msisdn: "233241234567",
        sessionid: "w-1",
        userdata: "2",
        username: "shop",
        trafficid: "t-2",
        other: "kept",
      },
    },
    reply: { action: "end", screen: "Bye" },
    response: `
HTTP/1.1 200
content-type: text/plain; charset=utf-8

MTN|END|233241234567|w-1|Bye|shop|t-2|kept`,
  },
  {
    title: "a request without trafficid is refused",
    source:
      "frog.wigal.com.gh/developers/docs/ussd, and wigalgh/smartussd_api samples; values made up",
    request: `
POST / HTTP/1.1
content-type: application/json

{"network":"MTN","sessionid":"w-1","mode":"more","msisdn":"233241234567","userdata":"a*b#","username":"shop"}`,
    error: "missing_field",
  },
];
