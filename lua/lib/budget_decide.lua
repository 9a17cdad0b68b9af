-- lib/budget_decide: whether the amount may be held in every budget; changes nothing. Returns nil and the refusal,
-- {"refused", number of the charge, settled, reserved} or {"unverified", numbers…}; or their balances, in turn.
-- @include lib/budget_balance
-- @include lib/whole
local function budget_decide(asked, now_us)
  local balances, unverified = {}, { 'unverified' }
  for number, charge in ipairs(asked.charges) do
    local balance = budget_balance(charge.name, charge.series, charge.starts_us, now_us)
    local taken_nano = balance.settled_nano + balance.reserved_nano + asked.amount_nano
    local hard = charge.hard == '1'
    if taken_nano > 9007199254740991 or (hard and taken_nano > tonumber(charge.limit_nano)) then
      return nil, { 'refused', whole(number), whole(balance.settled_nano), whole(balance.reserved_nano) }
    end
    if hard and balance.epoch < asked.epoch then
      unverified[#unverified + 1] = whole(number)
    end
    balances[number] = balance
  end
  if #unverified > 1 then
    return nil, unverified
  end
  return balances
end
