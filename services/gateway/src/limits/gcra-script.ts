/**
 * Evaluates GCRA for any number of limits and reads the session's liveness, in one round trip. A request that
 * one limit refuses counts against none, and so does a request of a revoked session: a stolen token cannot
 * use up the limits of others.
 * KEYS: the limits, then the liveness key if ARGV[1] is 1. ARGV: that flag, then for each limit the cost of
 * one request and the size of the burst in milliseconds, then 1 to give back one request.
 * Returns for each limit {allowed, remaining, retryAfterMs, resetMs}, then the liveness value or false.
 */
export const GATE_SCRIPT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local limits = #KEYS - tonumber(ARGV[1])
local answer = {}
local newest = {}
local all = true
if ARGV[2 * limits + 2] == '1' then
  for i = 1, limits do
    local before = tonumber(redis.call('GET', KEYS[i]) or now) - tonumber(ARGV[2 * i])
    if before > now then
      redis.call('SET', KEYS[i], tostring(before), 'PX', math.max(1, math.ceil(before - now)))
    else
      redis.call('DEL', KEYS[i])
    end
  end
  return answer
end
local live = ARGV[1] == '1' and redis.call('GET', KEYS[#KEYS]) or false
for i = 1, limits do
  local cost = tonumber(ARGV[2 * i])
  local burst = tonumber(ARGV[2 * i + 1])
  local full = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now)
  local after = full + cost
  local early = now - (after - burst)
  if early < 0 then
    all = false
    answer[i] = {0, 0, math.ceil(-early), math.ceil(full - now)}
  else
    answer[i] = {1, math.floor(early / cost), 0, math.ceil(after - now)}
  end
  newest[i] = after
end
if all and live ~= 'revoked' then
  for i = 1, limits do
    redis.call('SET', KEYS[i], tostring(newest[i]), 'PX', math.max(1, math.ceil(newest[i] - now)))
  end
end
answer[limits + 1] = live
return answer
`;
