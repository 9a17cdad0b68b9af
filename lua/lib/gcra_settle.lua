-- lib/gcra_settle: corrects a charge made at `charged_us`. What has refilled since may have been its own and is not
-- given back again; what was used beyond it is owed, for two minutes at most.
-- @include lib/gcra_read
-- @include lib/gcra_cost_us
-- @include lib/gcra_write
local function gcra_settle(key, limit, charged, actual, charged_us, now_us)
  local too_much_us = gcra_cost_us(limit, charged) - gcra_cost_us(limit, actual)
  if too_much_us > 0 then
    too_much_us = math.max(0, too_much_us - (now_us - charged_us))
  end
  if too_much_us ~= 0 then
    gcra_write(key, math.min(gcra_read(key, now_us) - too_much_us, now_us + 120000000), now_us)
  end
end
