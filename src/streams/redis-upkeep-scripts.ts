// Lua of the upkeep: opening, counting, trimming, leaving, the beat's lease. Documented like redis-scripts.ts, whose work
// on keys and entries it surrounds; KEYS and ARGV 1–4 as in redis-lua.ts unless a script says that it stands alone.
import { STATE_VERSION } from "./redis-lua.ts";
import { script, standalone } from "./redis-scripts.ts";

// ARGV: none. Result, three per lane (urgent, bulk): lag (-1 unknown), pending, ms since the oldest waiting entry was published.
export const DEPTH = script(`
local out = {}
for _, lane in ipairs({ 'u', 'b' }) do
  local stream = streamOf(lane)
  local info = {}
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    for i = 1, #group, 2 do if group[2] == GROUP then info[group[i]] = group[i + 1] end end
  end
  local oldest
  local pending = redis.call('XPENDING', stream, GROUP)
  if pending[1] > 0 then oldest = pending[2] end
  local unread = redis.call('XRANGE', stream, '(' .. (info['last-delivered-id'] or '0-0'), '+', 'COUNT', 1)
  for _, id in ipairs({ unread[1] and unread[1][1] or false }) do
    if id and (not oldest or tonumber(string.match(id, '^%d+')) < tonumber(string.match(oldest, '^%d+'))) then oldest = id end
  end
  out[#out + 1] = info['lag'] or -1
  out[#out + 1] = pending[1]
  out[#out + 1] = oldest and math.max(0, now - tonumber(string.match(oldest, '^%d+'))) or 0
end
return out`);

// ARGV: 5 idle ms after which a consumer without pending entries goes, 6 own consumer, 7 age ms of dead letters.
// Trims finished history: MINID = min(oldest pending, successor of last delivered); never XDEL, never MAXLEN. Result: 1.
export const TRIM = script(`
for _, lane in ipairs({ 'u', 'b' }) do
  local stream = streamOf(lane)
  local pending = redis.call('XPENDING', stream, GROUP)
  local bound = pending[1] > 0 and pending[2]
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local info = {}
    for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
    if info['name'] == GROUP and not bound then
      local ms, seq = string.match(info['last-delivered-id'], '^(%d+)-(%d+)$')
      bound = ms .. '-' .. int(tonumber(seq) + 1)
    end
  end
  if bound and redis.call('XLEN', stream) > 200 then redis.call('XTRIM', stream, 'MINID', '~', bound, 'LIMIT', 0)
  elseif bound then redis.call('XTRIM', stream, 'MINID', bound) end
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, GROUP)) do
    local info = {}
    for i = 1, #consumer, 2 do info[consumer[i]] = consumer[i + 1] end
    local name = info['name']
    if name ~= 'retry' and name ~= ARGV[6] and info['pending'] == 0 and info['idle'] > tonumber(ARGV[5]) then
      redis.call('XGROUP', 'DELCONSUMER', stream, GROUP, name)
    end
  end
end
redis.call('XTRIM', DEAD, 'MINID', int(now - tonumber(ARGV[7])))
return 1`);

// ARGV: 5 consumer. Removes a consumer that has nothing pending. Result: 1.
export const LEAVE = script(`
for _, lane in ipairs({ 'u', 'b' }) do
  if #redis.call('XPENDING', streamOf(lane), GROUP, '-', '+', 1, ARGV[5]) == 0 then redis.call('XGROUP', 'DELCONSUMER', streamOf(lane), GROUP, ARGV[5]) end
end
return 1`);

// The one script without the prelude: it opens the epoch the others compare.
// ARGV: 1 proposed epoch, 2 remembered epoch or '', 3 hold-off ms. Creates streams and groups at 0.
// Result: epoch, ms that takes must still wait, state version.
export const ENSURE = standalone(`
for _, stream in ipairs({ KEYS[1], KEYS[2] }) do
  local made = redis.pcall('XGROUP', 'CREATE', stream, 'workers', '0', 'MKSTREAM')
  if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local epoch = redis.call('HGET', KEYS[6], 'epoch')
if not epoch then
  epoch = ARGV[1]
  redis.call('HSET', KEYS[6], 'epoch', epoch, 'version', '${STATE_VERSION}')
  if ARGV[2] ~= '' then redis.call('HSET', KEYS[6], 'holdUntil', string.format('%.0f', now + tonumber(ARGV[3]))) end
end
local hold = tonumber(redis.call('HGET', KEYS[6], 'holdUntil') or '0')
return { epoch, math.max(0, hold - now), redis.call('HGET', KEYS[6], 'version') or '' }`);

// KEYS: 1 lease · ARGV: 1 holder, 2 life ms. Result: 1 while this holder has it. Stands alone.
export const LEASE = standalone(`
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`);

// KEYS: 1 lease · ARGV: 1 holder. Result: 1 when it was this holder's and is gone. Stands alone.
export const UNLEASE = standalone(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`);
