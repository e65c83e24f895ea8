/** "dialyard/testing": for who writes a codec or an application. */
export {
  type AnsweredVector,
  checkCodec,
  type CodecVector,
  type Plain,
  type RefusedVector,
} from "./codec.ts";
export { formatReply, formatRequest, parseReply, parseRequest } from "./http.ts";
