-- lib/turn_pick: smooth weighted round-robin: whose turn it is among `members` ({name, weight}), and all credits
-- after it. Ties go to the first. Mirrors domain.routing.smooth_weighted_round_robin:pick.
local function turn_pick(key, members)
  local names, after, total, best = {}, {}, 0, 1
  for place, member in ipairs(members) do
    names[place] = member[1]
  end
  local credits = redis.call('HMGET', key, unpack(names))
  for place, member in ipairs(members) do
    after[place] = tonumber(credits[place] or 0) + member[2]
    total = total + member[2]
    if after[place] > after[best] then
      best = place
    end
  end
  after[best] = after[best] - total
  return best, after
end
