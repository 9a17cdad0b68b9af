-- lib/gcra_settle: corrects a charge made at `charged_us`. What has refilled since may have been its own and is not
-- given back again; what was used beyond it is owed, for two minutes at most.
-- @include lib/gcra_read
-- @include lib/gcra_cost
-- @include lib/gcra_carry
-- @include lib/gcra_write
local function gcra_settle(key, limit, charged, actual, charged_us, now_us)
  local cost_us, fractions = gcra_cost(limit, math.abs(actual - charged))
  local direction = actual > charged and 1 or -1
  if direction < 0 then
    cost_us = cost_us - (now_us - charged_us)
  end
  if cost_us < 0 or (cost_us == 0 and fractions == 0) then
    return
  end
  local tat_us, tat_fractions = gcra_read(key, limit, now_us)
  tat_us, fractions = gcra_carry(limit, tat_us + direction * cost_us, tat_fractions + direction * fractions)
  if tat_us >= now_us + 120000000 then
    tat_us, fractions = now_us + 120000000, 0
  end
  gcra_write(key, limit, tat_us, fractions, now_us)
end
