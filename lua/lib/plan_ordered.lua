-- lib/plan_ordered: the first child that leads to an instance: `O children`, then the children.
function plan_step.O(cursor, context)
  local children, skipping, found = tonumber(ARGV[cursor.place + 1]), context.skipping, nil
  cursor.place = cursor.place + 2
  for _ = 1, children do
    local path = plan_walk(cursor, context)
    if path then
      found = path
      context.skipping = 'found'
    end
  end
  context.skipping = skipping
  return found
end
