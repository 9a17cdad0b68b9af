-- latency/observe.lua: feeds a success into an instance's estimate and percentiles before its attempt ends.
--
-- KEYS[1]    latency    hash  `estimate_us updated_us` by kind; absent: nothing measured
-- KEYS[2..]  sketches   hash  six, by minute modulo 6: counts by bucket
-- ARGV[1]    now_us     int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[2]    kind       text    which clock was measured
-- ARGV[3]    sample_us  int     microseconds
--
-- Returns  1
-- Writes   the estimate (1 h) and the running minute's sketch (6 min)
-- Mirrors  domain.routing.instance_state:observe_success
--
-- @include lib/now
-- @include lib/whole
-- @include lib/latency_learn
-- @include lib/sketch_add
local now_us = now(ARGV[1])
latency_learn(KEYS[1], ARGV[2], tonumber(ARGV[3]), 'success', now_us)
sketch_add(2, tonumber(ARGV[3]), now_us)
return 1
