-- lib/admission_recall: what a request was answered when it was admitted; nil where it was not, or over 61 s ago.
-- Stored as text: admitted_us, `held` or `ended`, and the numbers of the answer.
local function admission_recall(key, now_us)
  local admitted_us, state, said = (redis.call('GET', key) or ''):match('^(%d+) (%l+)(.*)$')
  if not admitted_us or now_us >= tonumber(admitted_us) + 61000000 then
    return nil
  end
  local answer = {}
  for number in said:gmatch('%d+') do
    answer[#answer + 1] = tonumber(number)
  end
  return { admitted_us = tonumber(admitted_us), state = state, answer = answer }
end
