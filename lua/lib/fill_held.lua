-- lib/fill_held: whether `owner` holds the fill now, with a right of generation `token`, which is still the scope's.
local function fill_held(generation, fill, owner, token, now_us)
  local current = redis.call('HMGET', fill, 'owner', 'generation', 'expires_us')
  local same = current[1] == owner and current[2] == token and token == generation
  return same and now_us < tonumber(current[3])
end
