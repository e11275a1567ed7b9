// The Lua of the stream layer, each with arguments and result written above it; KEYS and ARGV 1–4 as in redis-lua.ts.
// One script per partition and batch, and inside it one variadic command per kind of step: that is where the speed comes from.
import { createHash } from "node:crypto";
import { PRELUDE } from "./redis-lua.ts";

export interface Script {
  readonly text: string;
  readonly sha: string;
}

/** A script as it stands. */
export function standalone(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/** A script on a partition, with the prelude before it. */
export function script(body: string): Script {
  return standalone(PRELUDE + body);
}

// ARGV from 5, five per message: field, JSON, lane, flags (w waking, a one more try), uid. Fields are distinct.
// Result: 1.
export const PUBLISH = script(`
local fields = {}
for i = 5, #ARGV, 5 do fields[#fields + 1] = ARGV[i] end
want(fields)
for i = 5, #ARGV, 5 do publish(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]) end
save()
return 1`);

// ARGV: 5 lane, then two per entry just read: id, field.
// Result: the server's ms, then one per entry: 'x' (not ours to run), 'd' (buried), or "fencing attempts crashes uid".
export const TAKE = script(`
local fields, out = {}, { int(now) }
for i = 6, #ARGV, 2 do fields[#fields + 1] = ARGV[i + 1] end
want(fields)
for i = 6, #ARGV, 2 do
  local token, rest = take(ARGV[5], ARGV[i], ARGV[i + 1])
  out[#out + 1] = rest and token .. ' ' .. rest or token
end
save()
saveFence()
return out`);

// ARGV from 5, nine per ending: op, lane, id, field, token, a, b, c, JSON of the message.
//   done:  a requeue ms or '', b digest or '', c '1' when the object is gone
//   retry: a backoff ms, b cause, c attempts after it · hold: a delay ms, b, c alike · bury: b, c alike · back: nothing
// Result, one per ending: 1, or 0 when another holder's token stands in the state.
export const END = script(`
local fields, locks = {}, {}
for i = 5, #ARGV, 9 do
  fields[#fields + 1] = ARGV[i + 3]
  locks[#locks + 1] = LOCK .. ARGV[i + 3]
end
want(fields)
local held = redis.call('MGET', unpack(locks))
local out, free, seen, gone, due, undue = {}, {}, {}, {}, {}, {}
local acks = { u = {}, b = {} }
local timers = redis.call('EXISTS', DUE) == 1

local function owned(s, token, id) return s and s.phase == 'r' and s.token == token and s.entry == id end

-- What a finished run leaves in seen and due.
local function indexes(field, a, b, c)
  if c == '1' then gone[#gone + 1] = field
  elseif b ~= '' then
    seen[#seen + 1] = field
    seen[#seen + 1] = b
  end
  if timers then
    undue[#undue + 1] = '~' .. field
    if a == '' then undue[#undue + 1] = field end
  end
  if a ~= '' then
    due[#due + 1] = int(now + tonumber(a))
    due[#due + 1] = field
  end
end

local function done(s, field, a, b, c)
  indexes(field, a, b, c)
  s.attempts, s.crashes, s.first = 0, 0, '0'
  if s.dirty ~= '' then add(s, string.lower(s.dirty), s.json, uidIn(s.json))
  else s.phase, s.entry, s.token, s.json = 'i', '', '', '' end
end

local function failed(op, s, field, i)
  local id, json = s.entry, ARGV[i + 8]
  local waking = s.dirty == 'U' or s.dirty == 'B'
  if op == 'bury' then
    s.attempts = tonumber(ARGV[i + 7])
    return bury(field, s, json, ARGV[i + 6])
  end
  if waking then
    s.attempts = 0
    return add(s, string.lower(s.dirty), s.json, uidIn(s.json))
  end
  if s.dirty ~= '' and uidIn(s.json) ~= s.uid then s.uid = '' end
  s.attempts, s.dirty, s.token, s.json = tonumber(ARGV[i + 7]), '', '', ''
  if s.first == '0' then s.first = int(now) end
  if op == 'hold' then
    redis.call('ZADD', DUE, 'LT', int(now + tonumber(ARGV[i + 5])), field)
    s.phase, s.entry, s.json = 'h', '', json
  else
    redis.call('XCLAIM', streamOf(s.lane), GROUP, 'retry', 0, id, 'IDLE', 0, 'JUSTID')
    s.phase, s.token = 't', ARGV[i + 5]
  end
end

for i = 5, #ARGV, 9 do
  local op, lane, id, field, token = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local n = (i - 5) / 9 + 1
  local clean = 'r|' .. id .. '|' .. lane .. '|' .. token .. '|' .. CLEAN
  local text = raw[field]
  if op == 'done' and text and string.sub(text, 1, #clean) == clean then
    out[#out + 1] = 1
    if held[n] == id .. ' ' .. token then free[#free + 1] = locks[n] end
    indexes(field, ARGV[i + 5], ARGV[i + 6], ARGV[i + 7])
    acks[lane][#acks[lane] + 1] = id
    write(field, false)
  elseif not owned(get(field), token, id) then out[#out + 1] = 0
  else
    local s = get(field)
    out[#out + 1] = 1
    if held[n] == id .. ' ' .. token then free[#free + 1] = locks[n] end
    if op == 'done' then done(s, field, ARGV[i + 5], ARGV[i + 6], ARGV[i + 7])
    elseif op == 'back' then
      if s.dirty ~= '' and uidIn(s.json) ~= s.uid then s.uid = '' end
      redis.call('XCLAIM', streamOf(lane), GROUP, 'retry', 0, id, 'JUSTID')
      s.phase, s.token, s.dirty, s.json = 'q', '', '', ''
    else failed(op, s, field, i) end
    if op ~= 'back' and s.phase ~= 't' then acks[lane][#acks[lane] + 1] = id end
    put(field, s)
  end
end
for lane, ids in pairs(acks) do
  if #ids > 0 then redis.call('XACK', streamOf(lane), GROUP, unpack(ids)) end
end
if #free > 0 then redis.call('DEL', unpack(free)) end
if #seen > 0 then redis.call('HSET', SEEN, unpack(seen)) end
if #gone > 0 then redis.call('HDEL', SEEN, unpack(gone)) end
if #undue > 0 then redis.call('ZREM', DUE, unpack(undue)) end
if #due > 0 then redis.call('ZADD', DUE, unpack(due)) end
save()
return out`);

// ARGV: 5 consumer, then four per hold: lane, id, field, token.
// Renews lock and idle time of what is held; a lapsed lock that nobody took is set again.
// Result, one per hold: 1 renewed, 0 lost.
export const HEARTBEAT = script(`
local fields, out = {}, {}
local claims = { u = {}, b = {} }
for i = 6, #ARGV, 4 do fields[#fields + 1] = ARGV[i + 2] end
want(fields)
for i = 6, #ARGV, 4 do
  local lane, id, field, token = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local s, lock, mine = get(field), LOCK .. field, id .. ' ' .. token
  local ok = 0
  if s and s.phase == 'r' and s.token == token and s.entry == id then
    local holder = redis.call('GET', lock)
    if holder == mine then ok = redis.call('PEXPIRE', lock, TTL)
    elseif not holder and redis.call('SET', lock, mine, 'NX', 'PX', TTL) then ok = 1 end
  end
  if ok == 1 then claims[lane][#claims[lane] + 1] = id end
  out[#out + 1] = ok
end
for lane, ids in pairs(claims) do
  if #ids > 0 then
    ids[#ids + 1] = 'IDLE'
    ids[#ids + 1] = 0
    ids[#ids + 1] = 'JUSTID'
    redis.call('XCLAIM', streamOf(lane), GROUP, ARGV[5], 0, unpack(ids))
  end
end
return out`);

// ARGV: 5 consumer, 6 idle ms, 7 most takes, 8 most suspects (keys that ran into a death before), 9 entries to look at per lane.
// Walks the pending entries from the persisted cursor and takes what waits for another try or lost its holder.
// Result: the server's ms, then four per take: lane, id, JSON, "fencing attempts crashes uid".
export const RECLAIM = script(`
local consumer, idleLimit, room, suspects, scan = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local out = { int(now) }

local function ripe(s, id, who, idle)
  if who ~= 'retry' then return idle >= idleLimit end
  if not s or s.entry ~= id or s.phase == 'q' then return true end
  if s.phase == 't' then return idle >= tonumber(s.token) end
  return idle >= idleLimit
end

local function look(lane, stream, id, who, idle)
  if who ~= 'retry' and idle < idleLimit then return end
  local json = body(stream, id)
  local field = json and fieldIn(json)
  if not field then
    redis.call('XACK', stream, GROUP, id)
    return
  end
  local s = get(field)
  if not ripe(s, id, who, idle) then return end
  local suspect = s and s.entry == id and s.crashes + (s.phase == 'r' and 1 or 0) >= 2
  if suspect and suspects < 1 then return end
  local token, rest = take(lane, id, field)
  if not rest then return end
  if suspect then suspects = suspects - 1 end
  room = room - 1
  redis.call('XCLAIM', stream, GROUP, consumer, 0, id, 'JUSTID')
  for _, value in ipairs({ lane, id, json, token .. ' ' .. rest }) do out[#out + 1] = value end
end

for _, lane in ipairs({ 'u', 'b' }) do
  local stream, mark = streamOf(lane), 'cursor:' .. lane
  local cursor = redis.call('HGET', META, mark) or '-'
  local list = redis.call('XPENDING', stream, GROUP, cursor, '+', scan)
  local last
  for _, entry in ipairs(list) do
    if room < 1 then break end
    last = entry[1]
    look(lane, stream, entry[1], entry[2], entry[3])
  end
  local finished = #list < scan and (#list == 0 or last == list[#list][1])
  local nextCursor = (finished or not last) and '-' or '(' .. last
  if not last and #list > 0 then nextCursor = cursor end
  if nextCursor ~= cursor then redis.call('HSET', META, mark, nextCursor) end
end
save()
saveFence()
return out`);

// ARGV: 5 consumer, then the ids per lane that are still being worked on: "u id" or "b id".
// Gives back what this consumer has read and not started, or lost the reply of. Result: how many.
export const RELEASE = script(`
local open, count = {}, 0
for i = 6, #ARGV do open[ARGV[i]] = true end
for _, lane in ipairs({ 'u', 'b' }) do
  local stream = streamOf(lane)
  for _, entry in ipairs(redis.call('XPENDING', stream, GROUP, '-', '+', 1000, ARGV[5])) do
    if not open[lane .. ' ' .. entry[1]] then
      redis.call('XCLAIM', stream, GROUP, 'retry', 0, entry[1], 'JUSTID')
      count = count + 1
    end
  end
end
return count`);

// ARGV: 5 most items. Moves due items into the streams: own timers of a key, held keys, "~" resyncs.
// Result: moved, then ms until the next item, or '' when there is none.
export const MOVE = script(`
local kind = string.match(STATES, '{(.*):%d+}')
local moved = redis.call('ZRANGE', DUE, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, ARGV[5])
local function message(field, cause, waking)
  local ns, name = string.match(field, '^([^/]*)/(.*)$')
  return '{"v":1,"kind":"' .. kind .. '","namespace":"' .. ns .. '","name":"' .. name .. '","uid":"","cause":"' .. cause .. '","waking":' ..
    waking .. ',"eventId":"' .. cause .. '-' .. int(now) .. '","traceparent":""}'
end
if #moved > 0 then redis.call('ZREM', DUE, unpack(moved)) end
for _, member in ipairs(moved) do
  if string.sub(member, 1, 1) == '~' then
    local field = string.sub(member, 2)
    publish(field, message(field, 'resync', 'false'), 'b', 'a', '')
  else
    local s = get(member)
    if s and s.phase == 'h' then
      add(s, s.lane, s.json, s.uid)
      put(member, s)
    else publish(member, message(member, 'timer', 'true'), 'u', 'w', '') end
  end
end
save()
local first = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
return { #moved, first[2] and int(math.max(0, tonumber(first[2]) - now)) or '' }`);

// ARGV from 5, two per item: field, delay ms. Puts resync items into the due index. Result: 1.
export const SPREAD = script(`
local items = {}
for i = 5, #ARGV, 2 do
  items[#items + 1] = int(now + tonumber(ARGV[i + 1]))
  items[#items + 1] = '~' .. ARGV[i]
end
redis.call('ZADD', DUE, unpack(items))
return 1`);

// ARGV: 5 schedule, 6 planned ms, 7 field, 8 JSON. Fires when planned is later than the last fired one. Result: 1 or 0.
export const TICK = script(`
local last = redis.call('HGET', META, 'tick:' .. ARGV[5])
if last and tonumber(last) >= tonumber(ARGV[6]) then return 0 end
redis.call('HSET', META, 'tick:' .. ARGV[5], ARGV[6])
publish(ARGV[7], ARGV[8], 'b', 'a', '')
save()
return 1`);

// ARGV: 5 field. Forgets a dead letter. Result: 1 or 0.
export const DROP = script(`
local s = get(ARGV[5])
if not s or s.phase ~= 'd' then return 0 end
redis.call('XDEL', DEAD, s.entry)
s.phase, s.entry = 'i', ''
put(ARGV[5], s)
save()
return 1`);

// ARGV: 5 field. Result: the id of the key's dead letter, or ''.
export const DEAD_ID = script(`
local s = get(ARGV[5])
return s and s.phase == 'd' and s.entry or ''`);
