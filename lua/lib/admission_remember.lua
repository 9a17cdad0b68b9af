-- lib/admission_remember: notes that a request was admitted now, and with which answer.
-- @include lib/whole
local function admission_remember(key, answer, now_us)
  local said = { whole(now_us), 'held' }
  for _, number in ipairs(answer) do
    said[#said + 1] = whole(number)
  end
  redis.call('SET', key, table.concat(said, ' '), 'PX', '61000')
end
