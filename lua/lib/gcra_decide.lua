-- lib/gcra_decide: whether `amount` is in a token bucket that holds a minute's worth; changes nothing.
-- Returns allowed, remaining, retry_after_us (-1: never), reset_after_us.
-- @include lib/gcra_read
-- @include lib/gcra_cost
-- @include lib/gcra_carry
-- @include lib/gcra_affordable
local function gcra_decide(key, limit, amount, now_us)
  local tat_us, tat_fractions = gcra_read(key, limit, now_us)
  local cost_us, cost_fractions = gcra_cost(limit, amount)
  local full_us = now_us + 60000000
  local new_us, new_fractions = gcra_carry(limit, tat_us + cost_us, tat_fractions + cost_fractions)
  local new_end_us = new_us + (new_fractions > 0 and 1 or 0)
  if new_end_us <= full_us then
    local room_us, room_fractions = gcra_carry(limit, full_us - new_us, -new_fractions)
    return true, gcra_affordable(limit, room_us, room_fractions), 0, new_end_us - now_us
  end
  local room_us, room_fractions = gcra_carry(limit, full_us - tat_us, -tat_fractions)
  local remaining = room_us >= 0 and gcra_affordable(limit, room_us, room_fractions) or 0
  local reset_after_us = tat_us + (tat_fractions > 0 and 1 or 0) - now_us
  return false, remaining, amount <= limit and new_end_us - full_us or -1, reset_after_us
end
