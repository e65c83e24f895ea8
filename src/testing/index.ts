/** "dialyard/testing": for who writes a codec, a store or an application. */
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
export * as scriptedBackend from "./scripted-backend.ts";
