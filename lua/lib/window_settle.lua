-- lib/window_settle: corrects what was charged at `charged_us` by `difference`, where its bucket still counts.
-- @include lib/whole
local function window_settle(key, bucket_us, span, difference, charged_us, now_us)
  local bucket = math.floor(charged_us / bucket_us)
  local counts = bucket > math.floor(now_us / bucket_us) - span
  if counts and difference ~= 0 and redis.call('HEXISTS', key, whole(bucket)) == 1 then
    redis.call('HINCRBY', key, whole(bucket), whole(difference))
  end
end
