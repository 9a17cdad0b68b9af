-- budget/roll.lua: notes at which epoch a gateway has brought back its reservations, and tells what all have said.
--
-- KEYS[1]  roll        hash    "epoch said_us" by gateway; absent: none has said anything lately
-- ARGV[1]  now_us      int|""  virtual time for tests; "" reads server TIME
-- ARGV[2]  gateway_id  text    who says it
-- ARGV[3]  epoch       int     at which it has
-- ARGV[4]  kept_us     int     for how long what is said counts
--
-- Returns  {gateway_id, epoch, age_us, …}  as strings, its own among them
-- Writes   roll: its own, and drops what counts no more; TTL: kept_us
-- Mirrors  domain.budget.epoch:Said
-- @include lib/now
-- @include lib/whole

local now_us, gateway_id, kept_us = now(ARGV[1]), ARGV[2], tonumber(ARGV[4])

local found, told, over = redis.call('HGETALL', KEYS[1]), { gateway_id, ARGV[3], '0' }, {}
for place = 1, #found, 2 do
  local epoch, said_us = string.match(found[place + 1], '^(%d+) (%d+)$')
  local age_us = math.max(0, now_us - tonumber(said_us))
  if age_us >= kept_us then
    over[#over + 1] = found[place]
  elseif found[place] ~= gateway_id then
    told[#told + 1], told[#told + 2], told[#told + 3] = found[place], epoch, whole(age_us)
  end
end

redis.call('HSET', KEYS[1], gateway_id, ARGV[3] .. ' ' .. whole(now_us))
for _, gone in ipairs(over) do
  redis.call('HDEL', KEYS[1], gone)
end
redis.call('PEXPIRE', KEYS[1], whole(math.ceil(kept_us / 1000)))
return told
