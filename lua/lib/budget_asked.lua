-- lib/budget_asked: what a reservation asks, from ARGV[first] on to the end: attempt, amount_nano, epoch, ttl_us; then
-- six for each charge: name, series, limit_nano, hard (1 or 0), starts_us, ends_us (0: never).
-- @include lib/budget_nano
local function budget_asked(first, now_us)
  local asked = {
    attempt = ARGV[first],
    amount_nano = budget_nano(ARGV[first + 1]),
    epoch = tonumber(ARGV[first + 2]),
    expires_us = now_us + tonumber(ARGV[first + 3]),
    charges = {},
  }
  for at = first + 4, #ARGV, 6 do
    asked.charges[#asked.charges + 1] = {
      name = ARGV[at],
      series = ARGV[at + 1],
      limit_nano = ARGV[at + 2],
      hard = ARGV[at + 3],
      starts_us = tonumber(ARGV[at + 4]),
      ends_us = tonumber(ARGV[at + 5]),
    }
  end
  return asked
end
