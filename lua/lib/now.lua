-- lib/now: the time in microseconds; `given` wins where it is not "", so that tests can let time pass.
-- TIME is called once: on some versions two calls in one script differ.
local function now(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
