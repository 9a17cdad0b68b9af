-- lib/window_settle: corrects what was charged at `charged_us` by `difference`. A bucket that has left the window is
-- not counted any more, and one that is gone is not brought back.
-- @include lib/whole
local function window_settle(key, bucket_us, difference, charged_us)
  local bucket = whole(math.floor(charged_us / bucket_us))
  if difference ~= 0 and redis.call('HEXISTS', key, bucket) == 1 then
    redis.call('HINCRBY', key, bucket, whole(difference))
    redis.call('HINCRBY', key, 'used', whole(difference))
  end
end
