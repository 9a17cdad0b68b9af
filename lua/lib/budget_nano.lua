-- lib/budget_nano: an amount of whole nano-dollars below 2^53, or an error, before anything is counted.
local function budget_nano(text)
  local amount_nano = string.match(text, '^%d+$') and #text <= 16 and tonumber(text)
  if not amount_nano or amount_nano > 9007199254740991 then
    error({ err = 'ERR expected whole nano-dollars below 2^53' })
  end
  return amount_nano
end
