-- lib/budget_book: moves an open reservation (its lines) out of reserved and `actual_nano` into settled, in the periods
-- it was made in, and notes in its lines how they stand then. A counter stops at 2^53 - 1.
-- @include lib/budget_lines
-- @include lib/whole
local function budget_book(lines, actual_nano)
  for first = 5, #lines, 6 do
    local field = 'b|' .. lines[first]
    local known = budget_lines(redis.call('HGET', KEYS[1], field))
    lines[first + 4] = whole(math.min(9007199254740991, tonumber(known[1]) + actual_nano))
    lines[first + 5] = whole(tonumber(known[2]) - tonumber(lines[2]))
    local balance = { lines[first + 4], lines[first + 5], known[3] }
    redis.call('HSET', KEYS[1], field, table.concat(balance, '\n'))
  end
end
