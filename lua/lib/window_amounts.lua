-- lib/window_amounts: what was charged in each bucket from `first` to `last`, and their names, in one look; 0 where none.
-- @include lib/whole
local function window_amounts(key, first, last)
  local names, amounts = {}, {}
  for bucket = first, last do
    names[#names + 1] = whole(bucket)
  end
  for place, amount in ipairs(#names > 0 and redis.call('HMGET', key, unpack(names)) or {}) do
    amounts[place] = tonumber(amount or 0)
  end
  return amounts, names
end
