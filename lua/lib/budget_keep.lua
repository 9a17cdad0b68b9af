-- lib/budget_keep: notes a balance and its series among the `fields` to write, and among `dues` when they are due:
-- a week after the period's end or, where that is later, its last use.
-- @include lib/whole
local function budget_keep(fields, dues, name, series, ends_us, balance, now_us)
  local expires_us = whole(math.max(now_us, ends_us) + 604800000000)
  local function note(field, lines)
    fields[#fields + 1], fields[#fields + 2] = field, table.concat(lines, '\n')
    dues[#dues + 1], dues[#dues + 2] = expires_us, field
  end
  note('b|' .. name, { whole(balance.settled_nano), whole(balance.reserved_nano), whole(balance.epoch) })
  if balance.series then
    note('s|' .. series, { balance.series[1], balance.series[2], expires_us })
  end
end
