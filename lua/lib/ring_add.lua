-- lib/ring_add: adds to the bucket of `second`. With `only_present` a bucket that has made room for a newer one stays
-- away. The ring has 64 places for the 61 seconds that count, so it never grows and needs no sweeping.
local function ring_add(key, second, amount, only_present)
  local place = math.fmod(second, 64)
  local stored, held = string.match(redis.call('HGET', key, place) or '', '^(%d+) (%-?%d+)$')
  if tonumber(stored) == second then
    amount = amount + tonumber(held)
  elseif only_present then
    return
  end
  redis.call('HSET', key, place, whole(second) .. ' ' .. whole(amount))
  redis.call('PEXPIRE', key, 62000)
end
