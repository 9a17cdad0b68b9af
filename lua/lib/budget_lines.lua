-- lib/budget_lines: the lines of a text, of which none is empty; no lines where there is no text.
local function budget_lines(text)
  local lines = {}
  for line in string.gmatch(text or '', '[^\n]+') do
    lines[#lines + 1] = line
  end
  return lines
end
