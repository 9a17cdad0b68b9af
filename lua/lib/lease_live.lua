-- lib/lease_live: how many leases are held now; changes nothing.
-- @include lib/whole
local function lease_live(key, now_us)
  return redis.call('ZCOUNT', key, '(' .. whole(now_us), '+inf')
end
