-- lib/gcra_charge: takes `amount` out of a token bucket.
-- @include lib/gcra_settle
local function gcra_charge(key, limit, amount, now_us)
  gcra_settle(key, limit, 0, amount, now_us, now_us)
end
