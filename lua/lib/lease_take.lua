-- lib/lease_take: holds a slot until `lease_us` from now, extends it where it is held, and drops expired ones.
-- The key outlives the lease that lives longest.
-- @include lib/whole
local function lease_take(key, lease_id, lease_us, now_us)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', whole(now_us))
  redis.call('ZADD', key, whole(now_us + lease_us), lease_id)
  local latest_us = tonumber(redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
  redis.call('PEXPIRE', key, whole(math.ceil((latest_us - now_us) / 1000) + 60000))
end
