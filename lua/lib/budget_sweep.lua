-- lib/budget_sweep: drops what is overdue, the attempt `own` and up to 50 others of each kind; the lines of `own`.
-- @include lib/budget_forget
local function budget_sweep(own, now_us)
  local suspense_us = 86400000000
  local lines = budget_lines(own and redis.call('HGET', KEYS[1], 'a|' .. own))
  if #lines > 0 and now_us >= tonumber(lines[4]) + (lines[1] == 'open' and suspense_us or 0) then
    budget_forget(own)
    lines = {}
  end
  for _, attempt in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], 0, whole(now_us - suspense_us), 'LIMIT', 0, 50)) do
    budget_forget(attempt)
  end
  for _, field in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], 0, whole(now_us), 'LIMIT', 0, 50)) do
    local kind = string.sub(field, 1, 1)
    if kind == 'a' then
      budget_forget(string.sub(field, 3))
    elseif kind == 'b' and budget_lines(redis.call('HGET', KEYS[1], field))[2] ~= '0' then
      redis.call('ZADD', KEYS[3], whole(now_us + suspense_us), field)
    else
      redis.call('HDEL', KEYS[1], field)
      redis.call('ZREM', KEYS[3], field)
    end
  end
  return lines
end
