-- lib/latency_learn: the peak-EWMA after one more sample of `kind`; microseconds.
-- Mirrors domain.latency:observe, observe_failure and observe_lower_bound.
local function latency_learn(key, kind, sample_us, outcome, now_us)
  local estimate_us, updated_us = string.match(redis.call('HGET', key, kind) or '', '^(%d+) (%d+)$')
  estimate_us, updated_us = tonumber(estimate_us), tonumber(updated_us)
  local elapsed_us = updated_us and math.max(0, now_us - updated_us) or 0
  local expected_us = estimate_us
  if estimate_us and elapsed_us > 0 then
    expected_us = elapsed_us < 150000000 and math.floor(estimate_us * math.exp(-elapsed_us / 30000000)) or nil
  end
  if outcome == 'failure' then
    sample_us = math.min(600000000, math.max(2 * (expected_us or 0), sample_us, 1000000))
  elseif outcome == 'ignored' then
    if sample_us <= (expected_us or 1000000) then return end
    sample_us = math.min(600000000, sample_us)
  elseif estimate_us and sample_us <= estimate_us then
    local weight = math.exp(-elapsed_us / 30000000)
    sample_us = math.floor(estimate_us * weight + sample_us * (1 - weight))
  end
  redis.call('HSET', key, kind, whole(sample_us) .. ' ' .. whole(math.max(now_us, updated_us or 0)))
  -- Once a second is enough for an hour.
  if math.floor((updated_us or 0) / 1000000) ~= math.floor(now_us / 1000000) then
    redis.call('PEXPIRE', key, 3600000)
  end
end
