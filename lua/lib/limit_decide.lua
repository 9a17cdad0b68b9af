-- lib/limit_decide: what one limit says to its amount; changes nothing.
-- Returns allowed, remaining, retry_after_us (-1: never), reset_after_us.
-- @include lib/window_decide
-- @include lib/gcra_decide
-- @include lib/lease_live
local function limit_decide(of, now_us)
  if of.algorithm == 'sliding-window' then
    return window_decide(of.key, 1000000, 61, of.limit, of.amount, now_us)
  elseif of.algorithm == 'fixed-window' then
    return window_decide(of.key, 60000000, 1, of.limit, of.amount, now_us)
  elseif of.algorithm == 'token-bucket' then
    return gcra_decide(of.key, of.limit, of.amount, now_us)
  end
  local free = of.limit - lease_live(of.key, now_us)
  if free > 0 then
    return true, free - 1, 0, 1000000
  end
  return false, 0, 1000000, 1000000
end
