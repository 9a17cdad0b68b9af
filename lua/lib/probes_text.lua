-- lib/probes_text: probe permits that live on, as they are stored: `holder expires_us holder expires_us`.
local function probes_text(probes, now_us, without)
  local kept = {}
  for _, probe in ipairs(probes) do
    if probe[2] > now_us and probe[1] ~= without then
      kept[#kept + 1] = probe[1] .. ' ' .. whole(probe[2])
    end
  end
  return table.concat(kept, ' ')
end
