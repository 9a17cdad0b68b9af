-- lib/limits_end: ends an admitted request: frees its slots always, and corrects, once, what its limits were charged to
-- `actual`. `key` is that of its record. Returns whether it has ended now.
-- @include lib/admission_recall
-- @include lib/admission_end
-- @include lib/limit_settle
local function limits_end(key, limits, lease_id, actual, now_us)
  local record = admission_recall(key, now_us)
  local is_first = record ~= nil and record.state == 'held'
  for _, of in ipairs(limits) do
    if of.algorithm == 'leases' then
      redis.call('ZREM', of.key, lease_id)
    elseif is_first then
      limit_settle(of, actual, record.admitted_us, now_us)
    end
  end
  if is_first then
    admission_end(key)
  end
  return is_first
end
