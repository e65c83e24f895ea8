import type { CodecVector } from "../testing/codec.ts";
import type { GoldenSheet } from "../testing/golden.ts";
import type { Provider } from "../testing/shelf.ts";

const SOURCE = "habbes/ussd-menu-builder, test/ussd-menu.js, Hubtel Support";

const said = {
  sessionId: "bd7bc392496b4b28af2033ba83f5e400",
  msisdn: "233208183783",
  dialled: "*713*4#",
  network: "MTN",
  echo: { case: "" },
} as const;

export const provider: Provider = {
  title: "Hubtel Programmable Services (Ghana)",
  setUp:
    "In the Programmable Services console, paste the address as the service interaction " + "URL.",
};

export const golden: readonly GoldenSheet[] = [
  {
    file: "hubtel",
    differs: {
      "official initiation from app channel, as network":
        "types begin with a capital here, as some applications compare them",
      "end reply with null ClientState, as application":
        "what Hubtel documents is always said, whatever a test leaves out",
      "end reply with null ClientState, as network":
        "a simulator's request, without Type and Sequence: ours has both",
    },
  },
];

export const vectors: readonly CodecVector[] = [
  {
    title: "a dial carries the code as it was typed",
    source: `${SOURCE}; screen made up`,
    request: `
POST / HTTP/1.1
content-type: application/json

{"Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"Initiation","Message":"*713*4#","Operator":"MTN","Sequence":1}`,
    inbound: { ...said, phase: "begin", messageId: "1", input: { kind: "latest", text: "" } },
    reply: { action: "continue", screen: "Bienvenue à bord\n1. Solde" },
    response: `
HTTP/1.1 200
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","Label":"","ClientState":"","DataType":"input","FieldType":"text","Type":"Response","Message":"Bienvenue à bord\\n1. Solde"}`,
  },
  {
    title: "Hubtel's own apps dial no code: the channel has one",
    source: "hubtel.readme.io, Sample General Services Interaction",
    options: { service_code: "*713*4#" },
    request: `
POST / HTTP/1.1
content-type: application/json

{"Sequence":"1","Type":"initiation","Message":"","ServiceCode":"b230733cd56b4a0fad820e39f66bc27c","Operator":"MTN","ClientState":"","Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400"}`,
    inbound: {
      ...said,
      phase: "begin",
      messageId: "1",
      echo: { case: "lower" },
      input: { kind: "latest", text: "" },
    },
    reply: { action: "end", screen: "Bye" },
    response: `
HTTP/1.1 200
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","Label":"","ClientState":"","DataType":"display","FieldType":"text","Type":"release","Message":"Bye"}`,
  },
  {
    title: "digits dialled after the code stay with it",
    source: SOURCE,
    request: `
POST / HTTP/1.1
content-type: application/json

{"Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"Initiation","Message":"*713*4*3*5#","Operator":"MTN","Sequence":1}`,
    inbound: {
      ...said,
      phase: "begin",
      messageId: "1",
      dialled: "*713*4*3*5#",
      input: { kind: "latest", text: "" },
    },
    turn: { serviceCode: "*713*4#", dialledDigits: ["3", "5"], inputs: ["3", "5"] },
    reply: { action: "end", screen: "End" },
    response: `
HTTP/1.1 200
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","Label":"","ClientState":"","DataType":"display","FieldType":"text","Type":"Release","Message":"End"}`,
  },
  {
    title: "later requests carry the latest answer",
    source: SOURCE,
    request: `
POST / HTTP/1.1
content-type: application/json

{"Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"Response","Message":"1","Operator":"MTN","Sequence":2}`,
    inbound: { ...said, phase: "continue", messageId: "2", input: { kind: "latest", text: "1" } },
    turn: { serviceCode: "*713*4#" },
    reply: { action: "end", screen: "End" },
    response: `
HTTP/1.1 200
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","Label":"","ClientState":"","DataType":"display","FieldType":"text","Type":"Release","Message":"End"}`,
  },
  {
    title: "people answer with stars and hashes",
    source: `${SOURCE}; answer made up`,
    request: `
POST / HTTP/1.1
content-type: application/json

{"Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"Response","Message":"a*b #+5%","Operator":"MTN","Sequence":2}`,
    inbound: {
      ...said,
      phase: "continue",
      messageId: "2",
      input: { kind: "latest", text: "a*b #+5%" },
    },
    reply: { action: "continue", screen: "Next" },
    response: `
HTTP/1.1 200
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","Label":"","ClientState":"","DataType":"input","FieldType":"text","Type":"Response","Message":"Next"}`,
  },
  {
    title: "who hung up reads nothing",
    source: "PROTOCOLS 5 and 8: Release and Timeout are notices",
    request: `
POST / HTTP/1.1
content-type: application/json

{"Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"Timeout","Message":"","Operator":"MTN","Sequence":2}`,
    inbound: { ...said, phase: "abort", messageId: "2", input: { kind: "latest", text: "" } },
    reply: undefined,
    response: `
HTTP/1.1 200
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","Label":"","ClientState":"","DataType":"display","FieldType":"text","Type":"Release","Message":""}`,
  },
  {
    title: "a type in lower case is answered in lower case",
    source: "PROTOCOLS 5: case varies",
    request: `
POST / HTTP/1.1
content-type: application/json

{"Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"response","Message":"","Operator":"MTN","Sequence":2}`,
    inbound: {
      ...said,
      phase: "continue",
      messageId: "2",
      echo: { case: "lower" },
      input: { kind: "latest", text: "" },
    },
    reply: { action: "continue", screen: "Next" },
    response: `
HTTP/1.1 200
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","Label":"","ClientState":"","DataType":"input","FieldType":"text","Type":"response","Message":"Next"}`,
  },
  {
    title: "a request without the number is refused",
    source: "PROTOCOLS 5: fields",
    request: `
POST / HTTP/1.1
content-type: application/json

{"SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"Response","Message":"1","Operator":"MTN","Sequence":2}`,
    error: "missing_field",
  },
  {
    title: "a type that nobody knows is refused",
    source: "PROTOCOLS 5: types",
    request: `
POST / HTTP/1.1
content-type: application/json

{"Mobile":"233208183783","SessionId":"bd7bc392496b4b28af2033ba83f5e400","ServiceCode":"713*4","Type":"Query all","Message":"1","Operator":"MTN","Sequence":2}`,
    error: "bad_field",
  },
];
