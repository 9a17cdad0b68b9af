-- lib/whole: a number as text with all its digits; `tostring` and `..` lose those above 14.
local function whole(number)
  return string.format('%.0f', number)
end
