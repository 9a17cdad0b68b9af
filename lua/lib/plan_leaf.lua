-- lib/plan_leaf: one instance of a plan: `L instance last_resort`.
function plan_step.L(cursor, context)
  local instance, last_resort = tonumber(ARGV[cursor.place + 1]), ARGV[cursor.place + 2] == '1'
  cursor.place = cursor.place + 3
  local reason, wait_us = context.skipping, ''
  if reason == 'found' then
    return nil
  end
  if reason == nil then
    reason, wait_us = context.refusal(instance, last_resort)
  end
  if reason == nil then
    return {instance = instance, last_resort = last_resort, turns = {}}
  end
  local told = context.refusals
  told[#told + 1], told[#told + 2], told[#told + 3] = instance, reason, wait_us
end
