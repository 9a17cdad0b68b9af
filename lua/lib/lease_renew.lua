-- lib/lease_renew: extends a lease that is still held; false where it expired or was never taken.
-- @include lib/lease_take
local function lease_renew(key, lease_id, lease_us, now_us)
  local expires_us = tonumber(redis.call('ZSCORE', key, lease_id) or 0)
  if expires_us <= now_us then
    return false
  end
  lease_take(key, lease_id, lease_us, now_us)
  return true
end
