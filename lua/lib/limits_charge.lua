-- lib/limits_charge: charges every limit its amount; slots are held under `lease_id`.
-- @include lib/window_charge
-- @include lib/gcra_charge
-- @include lib/lease_take
local function limits_charge(limits, lease_id, lease_us, now_us)
  for _, of in ipairs(limits) do
    if of.algorithm == 'sliding-window' then
      window_charge(of.key, 1000000, 61, of.amount, now_us)
    elseif of.algorithm == 'fixed-window' then
      window_charge(of.key, 60000000, 1, of.amount, now_us)
    elseif of.algorithm == 'token-bucket' then
      gcra_charge(of.key, of.limit, of.amount, now_us)
    else
      lease_take(of.key, lease_id, lease_us, now_us)
    end
  end
end
