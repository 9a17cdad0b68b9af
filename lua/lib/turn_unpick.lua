-- lib/turn_unpick: takes back what each eligible child got and what the picked one paid; credits that are gone stay so.
-- The children's names and weights follow ARGV[place]. Mirrors domain.routing.smooth_weighted_round_robin:unpick.
local function turn_unpick(key, place, children, picked, passed)
  if redis.call('EXISTS', key) == 0 then
    return
  end
  local total = 0
  for child = 1, children do
    local name, weight = ARGV[place + 2 * child - 1], tonumber(ARGV[place + 2 * child])
    if not string.find(passed, ',' .. child .. ',', 1, true) then
      redis.call('HINCRBY', key, name, whole(-weight))
      total = total + weight
    end
  end
  redis.call('HINCRBY', key, ARGV[place + 2 * picked - 1], whole(total))
end
