-- lib/budget_balance: what a period of a budget has come to. One that is not known begins at nothing, verified at the
-- epoch of its series (`{epoch, since_us, expires_us}`, nil where it is too old) if it began after that was set.
-- @include lib/budget_lines
local function budget_balance(name, series, starts_us, now_us)
  local found = redis.call('HMGET', KEYS[1], 'b|' .. name, 's|' .. series)
  local checked = budget_lines(found[2])
  if #checked == 0 or now_us >= tonumber(checked[3]) then
    checked = nil
  end
  local known = budget_lines(found[1])
  if #known == 0 then
    local inherits = checked and starts_us >= tonumber(checked[2])
    known = { 0, 0, inherits and checked[1] or 0 }
  end
  return {
    settled_nano = tonumber(known[1]),
    reserved_nano = tonumber(known[2]),
    epoch = tonumber(known[3]),
    series = checked,
  }
end
