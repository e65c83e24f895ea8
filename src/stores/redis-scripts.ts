/**
 * What the Redis store does to its keys, as scripts: each is one round trip and one atomic step.
 *
 * The keys of a script are of one partition and carry its hash tag, so a Cluster runs it on one
 * node. A client sends a script again when the connection broke before the reply: each of them
 * recognises its own work then.
 *
 *   session  "0|call|{…}": undelivered?, the settle that wrote it, the columns (redis-entry.ts)
 *   lease    "token|{…}": "-" for the token when nobody holds it, and a HeldLease
 *   leases   a sorted set: keys with a lease, by when it lapses
 *   records  a stream: what goes to SQL, in order
 *   dropped  records that were dropped because nobody drained them
 *   lock     the drainer that has the partition in hand
 */

/** Of the consumer group; the drainer that has the lock is its one consumer. */
const GROUP = "sql";
const CONSUMER = "drainer";

const ADD = `
local function add(...)
  redis.call("XADD", KEYS[4], "*", ...)
end`;

export const SCRIPTS = {
  /** KEYS session, lease, leases  ARGV lease, ttl, until, token, key */
  dialyardOpen: {
    numberOfKeys: 3,
    lua: `
if redis.call("SET", KEYS[2], ARGV[1], "NX", "PX", ARGV[2]) then
  redis.call("ZADD", KEYS[3], ARGV[3], ARGV[5])
  return { 1, redis.call("GET", KEYS[1]) }
end
local held = redis.call("GET", KEYS[2])
local mine = string.sub(held, 1, #ARGV[4]) == ARGV[4]
return { mine and 1 or 0, redis.call("GET", KEYS[1]), held }`,
  },
  /**
   * Takes a lease that another turn left, as it was seen.
   * KEYS session, lease, leases, records
   * ARGV seen, lease, ttl, until, token, key, entry or "", "1" when the session's time is over
   */
  dialyardTakeOver: {
    numberOfKeys: 4,
    lua: `${ADD}
local held = redis.call("GET", KEYS[2])
if held ~= ARGV[1] then
  local mine = held and string.sub(held, 1, #ARGV[5]) == ARGV[5]
  return { mine and 1 or 0, redis.call("GET", KEYS[1]), held }
end
if ARGV[7] ~= "" then add("k", ARGV[6], "r", ARGV[7]) end
if ARGV[8] == "1" then redis.call("DEL", KEYS[1]) end
redis.call("SET", KEYS[2], ARGV[2], "PX", ARGV[3])
redis.call("ZADD", KEYS[3], ARGV[4], ARGV[6])
return { 1, redis.call("GET", KEYS[1]) }`,
  },
  /**
   * 0 and nothing written where the lease has lapsed to another turn.
   * KEYS session, lease, leases, records, dropped
   * ARGV token, session, ttl, key, record, most records kept, call
   */
  dialyardSettle: {
    numberOfKeys: 5,
    lua: `${ADD}
local held = redis.call("GET", KEYS[2])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then
  local there = redis.call("GET", KEYS[1])
  return there and string.sub(there, 3, 2 + #ARGV[7]) == ARGV[7] and 1 or 0
end
redis.call("DEL", KEYS[2])
redis.call("ZREM", KEYS[3], ARGV[4])
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
add("k", ARGV[4], "s", ARGV[2], "r", ARGV[5])
if redis.call("XLEN", KEYS[4]) > tonumber(ARGV[6]) then
  redis.call("INCRBY", KEYS[5], redis.call("XTRIM", KEYS[4], "MAXLEN", ARGV[6]))
end
return 1`,
  },
  /** As lease.ts, afterRelease: what a lease remembers outlives its release.
   *  KEYS lease, leases  ARGV token, key */
  dialyardRelease: {
    numberOfKeys: 2,
    lua: `
local held = redis.call("GET", KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
local lease = cjson.decode(string.sub(held, #ARGV[1] + 2))
if lease.redriven or lease.lost > 0 then
  if not lease.redriven then lease.digest = "" end
  return redis.call("SET", KEYS[1], "-|" .. cjson.encode(lease), "KEEPTTL") and 1
end
redis.call("ZREM", KEYS[2], ARGV[2])
return redis.call("DEL", KEYS[1])`,
  },
  /** KEYS session  ARGV session id */
  dialyardUndelivered: {
    numberOfKeys: 1,
    lua: `
local there = redis.call("GET", KEYS[1])
if not there or not string.find(there, '{"id":"' .. ARGV[1] .. '"', 1, true) then return 0 end
return redis.call("SET", KEYS[1], "1" .. string.sub(there, 2), "KEEPTTL") and 1`,
  },
  /**
   * A turn that nobody will drive again: 1 where the lease is still what was seen.
   * KEYS session, lease, leases, records  ARGV seen or "", key, entry or ""
   */
  dialyardGiveUp: {
    numberOfKeys: 4,
    lua: `${ADD}
local held = redis.call("GET", KEYS[2])
if not held then
  redis.call("ZREM", KEYS[3], ARGV[2])
  return 0
end
if held ~= ARGV[1] then return 0 end
redis.call("DEL", KEYS[1], KEYS[2])
redis.call("ZREM", KEYS[3], ARGV[2])
if ARGV[3] ~= "" then add("k", ARGV[2], "r", ARGV[3]) end
return 1`,
  },
  /**
   * The oldest records, for who has the lock: those that a drainer took and did not finish, and
   * behind them new ones, so that fewer than asked for are all there are.
   * nil while another drainer has it; else { group made just now, dropped since then, entries }
   * KEYS lock, records, dropped  ARGV drainer, lock ttl, most entries
   */
  dialyardTake: {
    numberOfKeys: 3,
    lua: `
local held = redis.call("GET", KEYS[1])
if held and held ~= ARGV[1] then return false end
local most = tonumber(ARGV[3])
local function read(from, count)
  return redis.pcall("XREADGROUP", "GROUP", "${GROUP}", "${CONSUMER}", "COUNT", count,
    "STREAMS", KEYS[2], from)
end
local made = 0
local found = read("0", most)
if found and found.err then
  if string.sub(found.err, 1, 7) ~= "NOGROUP" then return redis.error_reply(found.err) end
  redis.call("XGROUP", "CREATE", KEYS[2], "${GROUP}", "0", "MKSTREAM")
  made = 1
  found = false
end
local entries = found and found[1][2] or {}
if #entries < most then
  found = read(">", most - #entries)
  for _, entry in ipairs(found and found[1][2] or {}) do entries[#entries + 1] = entry end
end
if #entries > 0 then redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2]) end
return { made, tonumber(redis.call("GETDEL", KEYS[3]) or "0"), entries }`,
  },
  /** They are in SQL. KEYS lock, records  ARGV drainer, ids… */
  dialyardDone: {
    numberOfKeys: 2,
    lua: `
if #ARGV > 1 then
  redis.call("XACK", KEYS[2], "${GROUP}", unpack(ARGV, 2))
  redis.call("XDEL", KEYS[2], unpack(ARGV, 2))
end
if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end
return 1`,
  },
} as const;

type Reply = string | number | null;
/** The scripts as commands of a client: EVALSHA, and EVAL where the server does not know it. */
export type ScriptCommands = {
  dialyardOpen(...args: Args): Promise<LeasedReply>;
  dialyardTakeOver(...args: Args): Promise<LeasedReply>;
  dialyardSettle(...args: Args): Promise<number>;
  dialyardRelease(...args: Args): Promise<Reply>;
  dialyardUndelivered(...args: Args): Promise<Reply>;
  dialyardGiveUp(...args: Args): Promise<number>;
  dialyardTake(...args: Args): Promise<TakeReply | null>;
  dialyardDone(...args: Args): Promise<Reply>;
};
type Args = readonly (string | number)[];
/** 1 where the lease is the caller's, the session, and the lease that is in the way. */
export type LeasedReply = readonly [taken: number, session: string | null, lease?: string | null];
/** An entry's fields are null where it was trimmed after it had been taken. */
export type StreamEntry = readonly [id: string, fields: readonly string[] | null];
export type TakeReply = readonly [made: number, dropped: number, entries: readonly StreamEntry[]];
