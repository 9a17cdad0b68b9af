-- lib/gcra_carry: an instant in microseconds and fractions of 1/limit of one, with 0 <= fractions < limit.
local function gcra_carry(limit, us, fractions)
  local whole_us = math.floor(fractions / limit)
  return us + whole_us, fractions - whole_us * limit
end
