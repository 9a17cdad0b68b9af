-- lib/lock_ttl_ms: for how long the state of a lock is kept, as text in milliseconds: a day, or the hold if longer.
-- The fence outlives the hold; later it is not needed, because a new one is at least the time.
local function lock_ttl_ms(ttl_us)
  return string.format('%.0f', math.max(86400000, math.ceil(ttl_us / 1000)))
end
