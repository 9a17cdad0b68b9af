-- lib/budget_hold: holds the amount in every budget. Returns the lines of the attempt: {"open", amount, "0", expires_us,
-- for each charge: name, limit, hard, verified, settled, reserved}.
-- @include lib/budget_keep
-- @include lib/budget_write
-- @include lib/whole
local function budget_hold(asked, balances, now_us)
  local lines = { 'open', whole(asked.amount_nano), '0', whole(asked.expires_us) }
  local fields, dues = {}, {}
  for number, balance in ipairs(balances) do
    local charge = asked.charges[number]
    local verified = balance.epoch >= asked.epoch and '1' or '0'
    balance.reserved_nano = balance.reserved_nano + asked.amount_nano
    budget_keep(fields, dues, charge.name, charge.series, charge.ends_us, balance, now_us)
    local settled, reserved = whole(balance.settled_nano), whole(balance.reserved_nano)
    for _, line in ipairs({ charge.name, charge.limit_nano, charge.hard, verified, settled, reserved }) do
      lines[#lines + 1] = line
    end
  end
  fields[#fields + 1], fields[#fields + 2] = 'a|' .. asked.attempt, table.concat(lines, '\n')
  redis.call('ZADD', KEYS[2], whole(asked.expires_us), asked.attempt)
  budget_write(fields, dues, now_us)
  return lines
end
