-- lib/rest_note: sends an instance to rest, or ends a rest that a success proved needless; guesses double.
-- Mirrors domain.routing.instance_state:_rest.
local function rest_note(key, circuit, now_us, outcome, cooldown, span_us, grows)
  local guessed = circuit.guessed_rests
  if outcome == 'success' then
    guessed = 0
    if circuit.cooldown == 'misconfigured' then
      circuit.cooldown_until_us = 0
      redis.call('HDEL', key, 'cooldown', 'cooldown_until_us')
    end
  end
  if grows and now_us >= circuit.cooldown_until_us then
    span_us = math.min(span_us * 2 ^ math.min(guessed, 9), 300000000)
    guessed = guessed + 1
  end
  if span_us > 0 and now_us + span_us >= circuit.cooldown_until_us then
    redis.call('HSET', key, 'cooldown', cooldown, 'cooldown_until_us', whole(now_us + span_us))
  end
  if guessed ~= circuit.guessed_rests then
    redis.call('HSET', key, 'guessed_rests', guessed)
  end
end
