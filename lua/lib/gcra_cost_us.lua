-- lib/gcra_cost_us: how long `amount` takes to refill, rounded up: ceil(amount * 60,000,000 / limit), divided in two
-- steps so that no product exceeds 2^53.
local function gcra_cost_us(limit, amount)
  local scaled = amount * 6000
  local rest = scaled % limit
  return (scaled - rest) / limit * 10000 + math.ceil(rest * 10000 / limit)
end
