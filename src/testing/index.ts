/** "dialyard/testing": for who writes a codec, a store or an application. */
export { type StartedAppStore, testAppStore } from "../app/store-conformance.ts";
export { type StartedPinStore, testPinStore } from "../app/pin-store-conformance.ts";
export { testStore } from "../stores/conformance.ts";
export { memoryStore } from "../stores/memory.ts";
export {
  type AnsweredVector,
  checkCodec,
  type CodecVector,
  type Plain,
  type RefusedVector,
} from "./codec.ts";
export { formatReply, formatRequest, parseReply, parseRequest } from "./http.ts";
export { phone, type Phone, type PhoneOptions } from "./phone.ts";
export * as scriptedBackend from "./scripted-backend.ts";
export { type Smsc, type SmscOptions, type SmscPhone, startSmsc } from "./smsc.ts";
