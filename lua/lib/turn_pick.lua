-- lib/turn_pick: smooth weighted round-robin: whose turn it is among `members` ({name, weight}), and all credits
-- after it. Ties go to the first. Mirrors domain.routing.smooth_weighted_round_robin:pick.
local function turn_pick(key, members)
  local after, total, best, best_credit = {}, 0, nil, nil
  for place, member in ipairs(members) do
    local credit = tonumber(redis.call('HGET', key, member[1]) or '0') + member[2]
    after[place] = credit
    total = total + member[2]
    if best == nil or credit > best_credit then
      best, best_credit = place, credit
    end
  end
  after[best] = best_credit - total
  return best, after
end
