-- lib/sketch_add: counts a sample in the sketch of the running minute; six keys take turns, so five full minutes are
-- always there. Mirrors domain.latency:LatencySketch.add.
local function sketch_add(first, sample_us, now_us)
  local minute = math.floor(now_us / 60000000)
  local key = KEYS[first + math.fmod(minute, 6)]
  if redis.call('HGET', key, 'minute') ~= whole(minute) then
    redis.call('DEL', key)
    redis.call('HSET', key, 'minute', whole(minute))
    redis.call('PEXPIRE', key, 360000)
  end
  local held_us = math.min(math.max(sample_us, 1000), 600000000)
  redis.call('HINCRBY', key, math.ceil(math.log(held_us) / math.log(1.02 / 0.98)), 1)
end
