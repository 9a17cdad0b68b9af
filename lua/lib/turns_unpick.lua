-- lib/turns_unpick: gives back what an admission took of round-robins: `held` ends in ` turn:picked:passed,over…` of
-- each, by number. Keys stand behind `before`; from ARGV[place] on come the children: how many, name, weight, …
local function turns_unpick(held, before, place)
  local steps, turn = {}, 0
  for number, picked, passed in string.gmatch(held, ' (%d+):(%d+):([%d,]*)') do
    steps[tonumber(number)] = {tonumber(picked), ',' .. passed .. ','}
  end
  while ARGV[place] do
    local children = tonumber(ARGV[place])
    turn = turn + 1
    if steps[turn] then
      turn_unpick(KEYS[before + turn], place, children, steps[turn][1], steps[turn][2])
    end
    place = place + 1 + 2 * children
  end
end
