-- lib/plan_walk: the way through the plan node at the cursor to an instance that can be taken: {instance, last_resort,
-- turns}, or nil. Moves the cursor past the node, whatever comes of it. Mirrors domain.routing.admission:_Walk.
-- `context`: refusal (why an instance can't be taken), refusals (found so far), turns (where their keys begin) and
-- skipping (nodes are only passed over: "found", or "zero_weight", which is told of each leaf).
local plan_step = {}
local function plan_walk(cursor, context)
  return plan_step[ARGV[cursor.place]](cursor, context)
end
