// What every script of redis-scripts.ts begins with: the packed form of a key's state and the transitions that several
// scripts share. The same life of a key as key-state.ts, on the partition's hash; both buses pass one conformance suite.
//
// KEYS of every script, one partition: 1 urgent, 2 bulk, 3 keys (states), 4 due, 5 seen, 6 meta, 7 dead.
// ARGV of every script: 1 epoch, 2 lock prefix, 3 most crashes, 4 lock life in ms; the script's own follow from 5.
// Lock keys are prefix + field, in the same slot. Times are the server's.
//
// Packed state, by "|": phase (q r t h d i) | live entry | lane (u b) | token, or backoff ms when t | dirty ("" u b, capital
// when waking) | attempts | crashes | superseded | first failure ms | uid ("" any, "*" as in the entry) | JSON kept for later.
// Phase i is idle, kept only while superseded > 0.

/** Error replies begin with this when the epoch is missing or another one (design.md 3.6). */
export const EPOCH_ERROR = "PSEPOCH";

/** Layout of states and keys; a process of another version refuses to start. */
export const STATE_VERSION = "1";

export const PRELUDE = `
local URGENT, BULK, STATES, DUE, SEEN, META, DEAD = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local GROUP = 'workers'
local epoch = redis.call('HGET', META, 'epoch')
if epoch ~= ARGV[1] then return redis.error_reply('${EPOCH_ERROR} ' .. (epoch or 'none')) end
local LOCK, MAXCRASHES, TTL = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function int(n) return string.format('%.0f', n) end
local function streamOf(lane) if lane == 'u' then return URGENT end return BULK end

-- States are read once (want), changed in memory (put) and written with one HSET and one HDEL (save).
-- The ordinary case (no failure, nothing dirty) never becomes a table: its text is compared and replaced as a whole
-- (raw, direct).
local raw, states, changed, direct = {}, {}, {}, {}
local CLEAN = '|0|0|0|0|'
local PATTERN = '^(%a)|([^|]*)|(%a)|([^|]*)|(%a?)|(%d+)|(%d+)|(%d+)|(%d+)|([^|]*)|(.*)$'
local function parse(text)
  local phase, entry, lane, token, dirty, attempts, crashes, superseded, first, uid, json = string.match(text, PATTERN)
  if not phase then return nil end
  return { phase = phase, entry = entry, lane = lane, token = token, dirty = dirty, attempts = tonumber(attempts), crashes = tonumber(crashes),
    superseded = tonumber(superseded), first = first, uid = uid, json = json }
end
local function pack(s)
  return s.phase .. '|' .. s.entry .. '|' .. s.lane .. '|' .. s.token .. '|' .. s.dirty .. '|' .. s.attempts .. '|' .. s.crashes .. '|' ..
    s.superseded .. '|' .. s.first .. '|' .. s.uid .. '|' .. s.json
end
local function want(fields)
  if #fields == 0 then return end
  local found = redis.call('HMGET', STATES, unpack(fields))
  for i, field in ipairs(fields) do raw[field] = found[i] end
end
local function get(field)
  local s = states[field]
  if s == nil then
    local text = direct[field]
    if text == nil then text = raw[field] end
    if text == nil then text = redis.call('HGET', STATES, field) end
    s = text and parse(text) or false
    states[field] = s
  end
  return s or nil
end
local function write(field, text)
  raw[field], states[field], changed[field] = text, nil, nil
  direct[field] = text
end
local function put(field, s)
  if s and s.phase == 'i' and s.superseded == 0 then s = nil end
  states[field] = s or false
  changed[field] = true
  direct[field] = nil
end
local function save()
  local set, del = {}, {}
  for field, text in pairs(direct) do
    if text then
      set[#set + 1] = field
      set[#set + 1] = text
    else del[#del + 1] = field end
  end
  for field in pairs(changed) do
    local s = states[field]
    if s then
      set[#set + 1] = field
      set[#set + 1] = pack(s)
    else del[#del + 1] = field end
  end
  if #set > 0 then redis.call('HSET', STATES, unpack(set)) end
  if #del > 0 then redis.call('HDEL', STATES, unpack(del)) end
end
local function fresh(superseded)
  return { phase = 'q', entry = '', lane = 'b', token = '', dirty = '', attempts = 0, crashes = 0, superseded = superseded, first = '0', uid = '', json = '' }
end
local function uidIn(json) return string.match(json, '"uid":"([^"]*)"') or '' end
local function fieldIn(json)
  local ns, name = string.match(json, '"namespace":"([^"]*)","name":"([^"]*)"')
  if ns then return ns .. '/' .. name end
end
local function anyUid(json) return (string.gsub(json, '"uid":"[^"]*"', '"uid":""', 1)) end
local function body(stream, id)
  local range = redis.call('XRANGE', stream, id, id)
  if range[1] then return range[1][2][2] end
end

-- Queues the key under a new entry.
local function add(s, lane, json, uid)
  s.phase, s.lane, s.token, s.dirty, s.json, s.uid = 'q', lane, '', '', '', uid
  s.entry = redis.call('XADD', streamOf(lane), '*', 'm', json)
end

-- No mark is trusted blindly: is there still something that will move this key on?
local function alive(s, field)
  if s.phase == 'q' or s.phase == 't' then return body(streamOf(s.lane), s.entry) ~= nil end
  if s.phase == 'h' then return redis.call('ZSCORE', DUE, field) ~= false end
  if s.phase == 'd' then return body(DEAD, s.entry) ~= nil end
  if redis.call('EXISTS', LOCK .. field) == 1 then return true end
  local pending = redis.pcall('XPENDING', streamOf(s.lane), GROUP, s.entry, s.entry, 1)
  return pending.err == nil and #pending > 0
end

local function publishRunning(s, json, lane, waking, uid)
  local had = s.dirty ~= ''
  local mark = (lane == 'u' or string.lower(s.dirty) == 'u') and 'u' or 'b'
  if waking or (had and s.dirty ~= string.lower(s.dirty)) then mark = string.upper(mark) end
  if had and uidIn(s.json) ~= uid then json = anyUid(json) end
  s.dirty, s.json = mark, json
end

-- One event for one key; flags: w waking, a one more try for a dead key (resync, tick).
local function publish(field, json, lane, flags, uid)
  if raw[field] == false and not changed[field] and not direct[field] then
    local id = redis.call('XADD', streamOf(lane), '*', 'm', json)
    return write(field, 'q|' .. id .. '|' .. lane .. '||' .. CLEAN .. uid .. '|')
  end
  local waking = string.find(flags, 'w', 1, true) ~= nil
  local s = get(field)
  if s and s.phase ~= 'i' and not alive(s, field) then s = fresh(s.superseded) s.phase = 'i' end
  if not s or s.phase == 'i' then
    s = fresh(s and s.superseded or 0)
    add(s, lane, json, uid)
    return put(field, s)
  end
  if s.phase == 'r' then
    publishRunning(s, json, lane, waking, uid)
    return put(field, s)
  end
  if s.phase == 'd' then
    if waking then s.attempts, s.crashes, s.first = 0, 0, '0'
    elseif not string.find(flags, 'a', 1, true) or s.crashes >= MAXCRASHES then return end
    redis.call('XDEL', DEAD, s.entry)
    add(s, lane, json, uid)
    return put(field, s)
  end
  local known = s.uid == uid and uid or ''
  s.uid = known
  if waking then s.attempts = 0 end
  if s.phase == 'q' then
    if lane == 'u' and s.lane == 'b' then
      s.superseded = s.superseded + 1
      add(s, 'u', json, known)
    end
  elseif waking and s.phase == 't' then s.phase, s.token = 'q', ''
  elseif waking then
    redis.call('ZREM', DUE, field)
    add(s, lane, json, known)
  end
  put(field, s)
end

local function bury(field, s, json, cause)
  if s.dirty == 'U' or s.dirty == 'B' then
    s.attempts = 0
    return add(s, string.lower(s.dirty), s.json, uidIn(s.json))
  end
  if s.first == '0' then s.first = int(now) end
  s.entry = redis.call('XADD', DEAD, '*', 'm', json, 'cause', cause, 'attempts', s.attempts, 'crashes', s.crashes, 'first', s.first, 'lane', s.lane, 'key', field)
  s.phase, s.token, s.dirty, s.json = 'd', '', '', ''
end

local fence
local function nextFence()
  if not fence then fence = tonumber(redis.call('HGET', META, 'fence') or '0') end
  fence = math.max(fence + 1, tonumber(time[1]) * 1000000 + tonumber(time[2]))
  return int(fence)
end
local function saveFence() if fence then redis.call('HSET', META, 'fence', int(fence)) end end

-- An entry that is not the live one: acknowledged unrun.
local function dropEntry(lane, id, field, s)
  local stream = streamOf(lane)
  redis.call('XACK', stream, GROUP, id)
  if s.superseded > 0 then s.superseded = s.superseded - 1
  elseif s.phase == 'r' and s.dirty == '' then s.dirty, s.json = lane, body(stream, id) or '' end
  if s.dirty ~= '' and s.json == '' then s.dirty = '' end
  put(field, s)
end

-- Result: 'x' dropped or left pending, 'd' buried, or the fencing number of the run that starts now and "attempts crashes uid".
local function take(lane, id, field)
  local text, head = raw[field], 'q|' .. id .. '|' .. lane .. '||' .. CLEAN
  if text and not changed[field] and string.sub(text, 1, #head) == head then
    local token = nextFence()
    if redis.call('SET', LOCK .. field, id .. ' ' .. token, 'NX', 'PX', TTL) then
      local rest = string.sub(text, #head + 1)
      write(field, 'r|' .. id .. '|' .. lane .. '|' .. token .. '|' .. CLEAN .. rest)
      return token, '0 0 ' .. string.sub(rest, 1, -2)
    end
  end
  local s = get(field)
  if s and s.entry ~= id then
    dropEntry(lane, id, field, s)
    return 'x'
  end
  if not s then
    s = fresh(0)
    s.entry, s.lane, s.uid = id, lane, '*'
  end
  local token = nextFence()
  if redis.call('SET', LOCK .. field, id .. ' ' .. token, 'NX', 'PX', TTL) then
    if s.phase == 'r' then s.crashes = s.crashes + 1 end
    if s.phase == 'r' and s.crashes >= MAXCRASHES then
      redis.call('DEL', LOCK .. field)
      redis.call('XACK', streamOf(lane), GROUP, id)
      bury(field, s, body(streamOf(lane), id) or '', 'the worker died ' .. s.crashes .. ' times while it ran')
      put(field, s)
      return 'd'
    end
    s.phase, s.token, s.dirty, s.json = 'r', token, '', ''
    put(field, s)
    return token, s.attempts .. ' ' .. s.crashes .. ' ' .. s.uid
  end
  local holder = redis.call('GET', LOCK .. field) or ''
  local own = string.sub(holder, 1, #id + 1) == id .. ' '
  if not own and s.phase ~= 'r' then
    redis.call('XCLAIM', streamOf(lane), GROUP, 'retry', 0, id, 'IDLE', 0, 'JUSTID')
    s.phase, s.token = 'q', ''
    put(field, s)
  end
  return 'x'
end
`;
