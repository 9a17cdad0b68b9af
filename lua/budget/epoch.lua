-- budget/epoch.lua: reads a mark of the present epoch and, where it is to be written, writes it.
--
-- KEYS[1]  mark       string  number, since_us, expires_us, replication id; absent: data may have been lost
-- ARGV[1]  now_us     int|""  virtual time for tests; "" reads server TIME
-- ARGV[2]  condition  text    unvouched: writes where the mark is missing or of another history; lower: where it is there
--                             and names a lower number; never: only looks
-- ARGV[3]  number     int     what to write; a mark is never lowered
-- ARGV[4]  age_us     int     how long ago that epoch began
--
-- Returns  {number (0: absent), age_us, vouched (1 or 0), history}  as domain.budget.epoch:EpochMark has them
-- Writes   the mark (TTL 7 days) where the condition holds, and once a day for its TTL
-- Mirrors  domain.budget.epoch:EpochMark
-- @include lib/now
-- @include lib/whole

local now_us, condition = now(ARGV[1]), ARGV[2]
local asked, age_us = tonumber(ARGV[3]), tonumber(ARGV[4])

-- A restart, a promotion and a full copy from another server each begin a new replication id.
local info = redis.pcall('INFO', 'replication')
if type(info) ~= 'string' then
  return redis.error_reply('NOPERM budget/epoch needs INFO: ' .. info.err)
end
local history = info:match('master_replid:(%x+)')
local number, since_us, expires_us, written_by = (redis.call('GET', KEYS[1]) or ''):match('^(%d+) (%d+) (%d+) (%x+)$')
number, since_us, expires_us = tonumber(number or 0), tonumber(since_us or now_us), tonumber(expires_us or 0)
if expires_us <= now_us then
  number, since_us, written_by = 0, now_us, nil
end
local vouched = written_by == history

local writes = vouched and expires_us - now_us < 518400000000
if (condition == 'unvouched' and not vouched) or (condition == 'lower' and written_by and number < asked) then
  writes = true
  if number < asked then
    number, since_us = asked, math.max(0, now_us - age_us)
  end
  vouched = vouched or condition == 'unvouched'
end
if writes then
  local by = vouched and history or written_by
  local text = { whole(number), whole(since_us), whole(now_us + 604800000000), by }
  redis.call('SET', KEYS[1], table.concat(text, ' '), 'PX', '604800000')
end
return { number, math.max(0, now_us - since_us), vouched and 1 or 0, history }
