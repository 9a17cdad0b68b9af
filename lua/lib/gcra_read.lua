-- lib/gcra_read: when a token bucket is full again, in microseconds and fractions of 1/limit; not before now.
-- More than two minutes ahead says nothing: it was written by a clock that has gone back since.
local function gcra_read(key, limit, now_us)
  local tat_us, fractions, of_limit = (redis.call('GET', key) or ''):match('^(%d+) (%d+) (%d+)$')
  tat_us, fractions = tonumber(tat_us or 0), tonumber(fractions or 0)
  if fractions > 0 and tonumber(of_limit) ~= limit then
    tat_us, fractions = tat_us + 1, 0
  end
  local farthest_us = now_us + 120000000
  if tat_us < now_us or tat_us > farthest_us or (tat_us == farthest_us and fractions > 0) then
    return now_us, 0
  end
  return tat_us, fractions
end
