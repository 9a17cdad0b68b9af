-- lib/gcra_affordable: the largest amount that costs at most so much: (room_us * limit + fractions) / 60,000,000.
-- In steps, so that no product exceeds 2^53.
local function gcra_affordable(limit, room_us, fractions)
  local low_us = room_us % 10000
  local high = limit * ((room_us - low_us) / 10000)
  local rest = high % 6000
  return (high - rest) / 6000 + math.floor((rest * 10000 + limit * low_us + fractions) / 60000000)
end
