-- lib/gcra_cost: the time that `amount` takes to refill, amount * 60,000,000 / limit: microseconds, and fractions of
-- 1/limit. In two steps, so that no product exceeds 2^53.
local function gcra_cost(limit, amount)
  local scaled = amount * 6000
  local rest = scaled % limit
  local fine = rest * 10000
  local fractions = fine % limit
  return (scaled - rest) / limit * 10000 + (fine - fractions) / limit, fractions
end
