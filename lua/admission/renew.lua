-- admission/renew.lua: holds the slots of a running request for longer, where they are still held.
--
-- KEYS[1..]  slots       zset    one for each limit on parallel requests; absent: nobody holds one
-- ARGV[1]    now_us      int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[2]    request_id  text    under which they are held
-- ARGV[3]    lease_us    int     for how long from now
--
-- Returns  1 where all were held; 0 where one was lost: it is not taken again
-- Writes   the slots that are held (TTL: a minute longer than the longest lease)
-- Mirrors  domain.limits.admission:renew
--
-- @include lib/now
-- @include lib/lease_renew

local now_us = now(ARGV[1])
local held = 1
for _, key in ipairs(KEYS) do
  if not lease_renew(key, ARGV[2], tonumber(ARGV[3]), now_us) then
    held = 0
  end
end
return held
