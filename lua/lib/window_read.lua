-- lib/window_read: what a window holds, its oldest and its newest bucket that count (nil: none), and the names of those
-- stored that have left it. Stored as a hash: each bucket's amount by its number, and `used`, `oldest` and `newest` of all
-- of them, so that a look at a busy window costs the buckets that have left it since the last charge, not all. A bucket
-- counts while the current one is less than `span` on. Those from farther ahead were written by a clock that went back.
-- @include lib/window_amounts
local function window_read(key, current, span)
  local stored = redis.call('HMGET', key, 'used', 'oldest', 'newest')
  local used, stored_oldest, newest = tonumber(stored[1] or 0), tonumber(stored[2] or 0), tonumber(stored[3] or 0)
  if newest <= current - span or newest > current + span then
    return 0, nil, nil, {}
  end
  local oldest = math.max(stored_oldest, current - span + 1)
  local amounts, left = window_amounts(key, stored_oldest, oldest - 1)
  for _, amount in ipairs(amounts) do
    used = used - amount
  end
  return used, oldest, newest, left
end
