-- lib/flight_frames: appends to `news` the frames from number `after` to before `stop`: until they are `most_bytes`
-- together, but at least one; how many those are. Frames are asked for by sixteens: asking for all may be asking for
-- far more than is taken, one by one is slow.
-- @include lib/whole
local function flight_frames(flight, after, stop, most_bytes, news)
  local size_bytes, taken = 0, 0
  for start = after, stop - 1, 16 do
    local names = {}
    for number = start, math.min(start + 15, stop - 1) do
      names[#names + 1] = whole(number)
    end
    for _, frame in ipairs(redis.call('HMGET', flight, unpack(names))) do
      size_bytes = size_bytes + #frame
      if taken > 0 and size_bytes > most_bytes then
        return taken
      end
      news[#news + 1], taken = frame, taken + 1
    end
  end
  return taken
end
