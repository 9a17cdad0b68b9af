-- lib/lock_held: whether somebody holds a lock, of whose state these are owner, expires_us and ttl_us.
-- An end that is over a second further away than ttl_us means that the clock was set back: the hold is over.
local SET_BACK_US = 1000000

local function lock_held(state, now_us)
  if not state[1] then
    return false
  end
  local left_us = tonumber(state[2]) - now_us
  return left_us > 0 and left_us <= tonumber(state[3] or left_us) + SET_BACK_US
end
