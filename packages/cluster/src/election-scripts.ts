/**
 * KEYS: 1 lead, 2 ballot, 3 votes, 4 replicas, 5 beats, 6 nominee, 7 demoted, 8 processes; all of one
 * service, in one slot. `processes` contains `<process> <node>`, scored by its last heartbeat. `lead` is
 * `<claim> <node>`. A vote is `<ballot> <candidate>`; only the last vote of each node is kept, so a node has
 * one vote per ballot.
 */
const PRELUDE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * One turn of one replica: sends its heartbeat, renews its lease, votes, or becomes a candidate. A candidate
 * with the votes of most living replicas in this ballot leads. A replica whose heartbeat is older than the
 * lease counts as dead.
 * ARGV: 1 node, 2 claim, 3 lease ms, 4 details, 5 is candidate, 6 candidacy ms, 7 keep ms, 8 channel, 9
 * demoted, 10 process.
 * Returns lead, its remaining ms, nominee, ballot, whether the node is demoted, and whether another living
 * process has its name, i.e. sent a heartbeat between two of this one. A former process of a restarted node
 * is silent and does not count.
 */
export const TURN = `${PRELUDE}
local node, claim, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local process = ARGV[10] .. ' ' .. node
local former = redis.call('ZSCORE', KEYS[8], process)
local twice = 0
for _, other in ipairs(former and redis.call('ZRANGEBYSCORE', KEYS[8], '(' .. former, '+inf') or {}) do
  if other ~= process and string.match(other, ' (.*)$') == node then twice = 1 end
end
redis.call('ZREMRANGEBYSCORE', KEYS[8], '-inf', now - tonumber(ARGV[7]))
redis.call('ZADD', KEYS[8], now, process)
redis.call('ZADD', KEYS[5], now, node)
redis.call('HSET', KEYS[4], node, ARGV[4])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now - tonumber(ARGV[7]))) do
  redis.call('ZREM', KEYS[5], gone)
  redis.call('HDEL', KEYS[4], gone)
  redis.call('HDEL', KEYS[3], gone)
end
if ARGV[9] == '1' then redis.call('SADD', KEYS[7], node) end
local demoted = redis.call('SISMEMBER', KEYS[7], node)
local nominee = redis.call('GET', KEYS[6])
local ballot = tonumber(redis.call('HGET', KEYS[2], 'number') or '0')
local lead = redis.call('GET', KEYS[1])
if lead then
  if lead == claim .. ' ' .. node then redis.call('PEXPIRE', KEYS[1], lease) end
  return { lead, redis.call('PTTL', KEYS[1]), nominee or '', ballot, demoted, twice }
end
local function lives(name)
  local beat = redis.call('ZSCORE', KEYS[5], name)
  return beat and now - tonumber(beat) < lease
end
local candidate = redis.call('HGET', KEYS[2], 'candidate')
local open = candidate and now - tonumber(redis.call('HGET', KEYS[2], 'at')) < tonumber(ARGV[6])
  and lives(candidate) and (not nominee or nominee == candidate)
if not open and ARGV[5] == '1' and demoted == 0 and (not nominee or nominee == node) then
  ballot = ballot + 1
  candidate = node
  open = true
  redis.call('HSET', KEYS[2], 'number', ballot, 'candidate', node, 'claim', claim, 'at', now)
  redis.call('PUBLISH', ARGV[8], 'candidate')
end
if not open then return { '', 0, nominee or '', ballot, demoted, twice } end
local mine = redis.call('HGET', KEYS[3], node)
if not mine or tonumber(string.match(mine, '^%d+')) < ballot then
  redis.call('HSET', KEYS[3], node, ballot .. ' ' .. candidate)
end
local living, votes = 0, 0
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '(' .. (now - lease), '+inf')) do
  living = living + 1
  if redis.call('HGET', KEYS[3], name) == ballot .. ' ' .. candidate then votes = votes + 1 end
end
if votes * 2 <= living then return { '', 0, nominee or '', ballot, demoted, twice } end
lead = redis.call('HGET', KEYS[2], 'claim') .. ' ' .. candidate
redis.call('SET', KEYS[1], lead, 'PX', lease)
redis.call('HDEL', KEYS[2], 'candidate')
if nominee == candidate then redis.call('DEL', KEYS[6]) end
redis.call('PUBLISH', ARGV[8], 'elected')
return { lead, lease, '', ballot, demoted, twice }`;

/** Releases the lease. ARGV: 1 node, 2 claim, 3 channel, 4 also leaves. */
export const RELEASE = `
if ARGV[4] == '1' then
  redis.call('ZREM', KEYS[5], ARGV[1])
  redis.call('HDEL', KEYS[4], ARGV[1])
end
if redis.call('GET', KEYS[1]) ~= ARGV[2] .. ' ' .. ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[3], 'released')
return 1`;

/**
 * Nominates a node. ARGV: 1 node, 2 lease ms, 3 duration ms, 4 channel.
 * Returns `unknown` (no heartbeat known), `dead`, `demoted`, `leads` or `nominated`.
 */
export const NOMINATE = `${PRELUDE}
local beat = redis.call('ZSCORE', KEYS[5], ARGV[1])
if not beat then return 'unknown' end
if now - tonumber(beat) >= tonumber(ARGV[2]) then return 'dead' end
if redis.call('SISMEMBER', KEYS[7], ARGV[1]) == 1 then return 'demoted' end
local lead = redis.call('GET', KEYS[1])
if lead and string.match(lead, ' (.*)$') == ARGV[1] then return 'leads' end
redis.call('SET', KEYS[6], ARGV[1], 'PX', ARGV[3])
redis.call('HDEL', KEYS[2], 'candidate')
redis.call('PUBLISH', ARGV[4], 'nominated')
return 'nominated'`;

/** Copies the demotion of a node from PostgreSQL. ARGV: 1 node, 2 demoted (1) or not (0), 3 channel. */
export const MARK = `
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[7], ARGV[1])
  if redis.call('GET', KEYS[6]) == ARGV[1] then redis.call('DEL', KEYS[6]) end
  if redis.call('HGET', KEYS[2], 'candidate') == ARGV[1] then redis.call('HDEL', KEYS[2], 'candidate') end
else
  redis.call('SREM', KEYS[7], ARGV[1])
end
redis.call('PUBLISH', ARGV[3], 'eligibility')
return 1`;

/** All known replicas: `[now, lead, nominee, node, beat, details, node, beat, details …]`. */
export const LIST = `${PRELUDE}
local answer = { tostring(now), redis.call('GET', KEYS[1]) or '', redis.call('GET', KEYS[6]) or '' }
local beats = redis.call('ZRANGE', KEYS[5], 0, -1, 'WITHSCORES')
for i = 1, #beats, 2 do
  table.insert(answer, beats[i])
  table.insert(answer, beats[i + 1])
  table.insert(answer, redis.call('HGET', KEYS[4], beats[i]) or '{}')
end
return answer`;
