-- lib/limit_settle: corrects what one limit was charged at `charged_us` to `actual`. Slots are not its matter.
-- @include lib/window_settle
-- @include lib/gcra_settle
local function limit_settle(of, actual, charged_us, now_us)
  if of.algorithm == 'sliding-window' then
    window_settle(of.key, 1000000, actual - of.amount, charged_us)
  elseif of.algorithm == 'fixed-window' then
    window_settle(of.key, 60000000, actual - of.amount, charged_us)
  elseif of.algorithm == 'token-bucket' then
    gcra_settle(of.key, of.limit, of.amount, actual, charged_us, now_us)
  end
end
