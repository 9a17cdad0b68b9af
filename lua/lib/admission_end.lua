-- lib/admission_end: notes that an admitted request has ended, for as long as it is remembered.
local function admission_end(key)
  redis.call('SET', key, (redis.call('GET', key):gsub('held', 'ended')), 'KEEPTTL')
end
