-- lib/circuit_quiet: the generation of a closed circuit whose instance neither rests nor is drained: a call may pass,
-- and nothing else matters. nil where there is more to look at. Nearly all are quiet, so it reads four fields.
local function circuit_quiet(key, now_us)
  local stored = redis.call('HMGET', key, 'state', 'drained', 'cooldown_until_us', 'generation')
  local closed, rests_until_us = (stored[1] or 'closed') == 'closed', tonumber(stored[3] or 0)
  if closed and tonumber(stored[2] or 0) ~= 1 and now_us >= rests_until_us then
    return tonumber(stored[4] or 0)
  end
end
