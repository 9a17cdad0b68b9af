-- lib/limits_decide: asks every limit; changes nothing. Returns what is left of each, remaining and reset_after_us in
-- turn, and nil; or nil and the refusal that waits longest: its number, remaining, retry_after_us, reset_after_us.
-- @include lib/limit_decide
local function limits_decide(limits, now_us)
  local left, refusal = {}, nil
  for i, of in ipairs(limits) do
    local allowed, remaining, retry_after_us, reset_after_us = limit_decide(of, now_us)
    left[2 * i - 1], left[2 * i] = remaining, reset_after_us
    if not allowed then
      local than = refusal and refusal[3]
      if not than or (than ~= -1 and (retry_after_us == -1 or retry_after_us > than)) then
        refusal = { i, remaining, retry_after_us, reset_after_us }
      end
    end
  end
  if refusal then
    return nil, refusal
  end
  return left, nil
end
