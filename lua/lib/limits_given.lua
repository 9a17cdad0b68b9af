-- lib/limits_given: the limits of a call as a list. Their keys stand in a row from `first_key` on; their arguments,
-- from `first_argument` on, by threes: algorithm, limit, amount.
local function limits_given(first_key, first_argument, count)
  local limits = {}
  for i = 1, count do
    local at = first_argument + 3 * (i - 1)
    limits[i] = {
      key = KEYS[first_key + i - 1],
      algorithm = ARGV[at],
      limit = tonumber(ARGV[at + 1]),
      amount = tonumber(ARGV[at + 2]),
    }
  end
  return limits
end
