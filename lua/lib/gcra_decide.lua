-- lib/gcra_decide: whether `amount` is in a token bucket that holds a minute's worth; changes nothing.
-- Returns allowed, remaining, retry_after_us (-1: never), reset_after_us.
-- @include lib/gcra_read
-- @include lib/gcra_cost_us
-- @include lib/gcra_affordable
local function gcra_decide(key, limit, amount, now_us)
  local tat_us, cost_us = gcra_read(key, now_us), gcra_cost_us(limit, amount)
  local room_us = now_us + 60000000 - tat_us
  if cost_us <= room_us then
    return true, gcra_affordable(limit, room_us - cost_us), 0, tat_us + cost_us - now_us
  end
  local retry_after_us = -1
  if amount <= limit then
    retry_after_us = cost_us - room_us
  end
  return false, gcra_affordable(limit, math.max(0, room_us)), retry_after_us, tat_us - now_us
end
