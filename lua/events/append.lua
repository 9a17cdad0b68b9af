-- events/append.lua: adds an event to its stream, unless it is there already.
--
-- KEYS[1]    stream     stream  id, kind, at_us and fields of each event; absent: nothing happened
-- ARGV[1]    event_id   string  no other event has it
-- ARGV[2]    look_back  int     entries; among how many of the newest it is searched for, 0 when it is sent first
-- ARGV[3]    max_length int     entries; near that many are kept
-- ARGV[4..]  fields     string  names and values in turn
--
-- Returns  int  1 where it was added, 0 where it was there
-- Writes   stream, trimmed to max_length or some more, where the event was added; TTL 7 days
-- Mirrors  domain.event_record:append
local stream, event_id, look_back, max_length = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local kept_ms = 604800000

if look_back > 0 then
  for _, entry in ipairs(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', look_back)) do
    if entry[2][2] == event_id then
      return 0
    end
  end
end

redis.call('XADD', stream, 'MAXLEN', '~', max_length, '*', 'id', event_id, unpack(ARGV, 4))
redis.call('PEXPIRE', stream, kept_ms)
return 1
