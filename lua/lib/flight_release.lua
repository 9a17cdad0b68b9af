-- lib/flight_release: the fill of `token` is given back, so nobody tells `flight` any more.
local function flight_release(flight, token)
  if redis.call('HGET', flight, 'token') == token then
    redis.call('HSET', flight, 'held_us', '0')
  end
end
