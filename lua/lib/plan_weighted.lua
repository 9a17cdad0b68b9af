-- lib/plan_weighted: the child whose turn it is: `W turn children`, then name, weight and node of each child.
function plan_step.W(cursor, context)
  local turn, children = tonumber(ARGV[cursor.place + 1]), tonumber(ARGV[cursor.place + 2])
  local key, skipping, members, passed = KEYS[context.turns + turn], context.skipping, {}, {}
  cursor.place = cursor.place + 3
  for child = 1, children do
    local name, weight = ARGV[cursor.place], tonumber(ARGV[cursor.place + 1])
    cursor.place = cursor.place + 2
    context.skipping = skipping or (weight <= 0 and 'zero_weight' or nil)
    local path = plan_walk(cursor, context)
    if path then members[#members + 1] = {name, weight, path, child} else passed[#passed + 1] = child end
  end
  context.skipping = skipping
  if #members == 0 then return nil end
  local best, after = turn_pick(key, members)
  local path, credits = members[best][3], {}
  for place, member in ipairs(members) do
    credits[2 * place - 1], credits[2 * place] = member[1], whole(after[place])
  end
  path.turns[#path.turns + 1] = {key = key, credits = credits, turn = turn, picked = members[best][4], passed = passed}
  return path
end
