-- lib/live_reply: the reply in `entry` as {epoch, meta, body}; nil where it is absent, purged, expired or not `scope`'s.
local function live_reply(entry, scope, generation, now_us)
  local stored = redis.call('HMGET', entry, 'generation', 'expires_us', 'scope', 'epoch', 'meta', 'body')
  if not stored[1] or stored[1] ~= generation or stored[3] ~= scope or now_us >= tonumber(stored[2]) then
    return nil
  end
  return {stored[4], stored[5], stored[6]}
end
