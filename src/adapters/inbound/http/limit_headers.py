"""How a caller's limits stand, in headers: OpenAI's names, and IETF draft-ietf-httpapi-ratelimit-headers-10."""

from collections.abc import Iterator, Sequence

from domain.durations import MINUTE_US, SECOND_US, ceil_seconds
from domain.limits.admission import Standing
from domain.limits.limit import LimitKind

_MILLISECOND_US = 1_000
_HOUR_US = 60 * MINUTE_US
_COUNTED = ((LimitKind.REQUESTS, "requests", "rpm"), (LimitKind.TOKENS, "tokens", "tpm"))


def limit_headers(standings: Sequence[Standing]) -> list[tuple[str, str]]:
    """For requests and for tokens, of the limit of each with the least left; none where none applied.

    How many may run at the same time has no header: nobody can say when one of them ends.
    """
    if not standings:
        return []
    headers: list[tuple[str, str]] = []
    policies, states = [], []
    for name, short, standing in _tightest(standings):
        limit, decision = standing.limit.limit, standing.decision
        headers.append((f"x-ratelimit-limit-{name}", str(limit)))
        headers.append((f"x-ratelimit-remaining-{name}", str(decision.remaining)))
        headers.append((f"x-ratelimit-reset-{name}", go_duration(decision.reset_after_us)))
        unit = ';qu="tokens"' if short == "tpm" else ""
        policies.append(f'"{short}";q={limit}{unit};w=60')
        states.append(f'"{short}";r={decision.remaining};t={ceil_seconds(decision.reset_after_us)}')
    if policies:
        headers += [("ratelimit-policy", ", ".join(policies)), ("ratelimit", ", ".join(states))]
    return headers


def go_duration(span_us: int) -> str:
    """As Go writes a duration, to the millisecond, rounded up: `0s`, `12ms`, `1.5s`, `6m0s`, `1h0m0.25s`."""
    span_us = -(-span_us // _MILLISECOND_US) * _MILLISECOND_US
    if span_us < SECOND_US:
        return f"{span_us // _MILLISECOND_US}ms" if span_us else "0s"
    hours, rest = divmod(span_us, _HOUR_US)
    minutes, rest = divmod(rest, MINUTE_US)
    seconds = f"{rest / SECOND_US:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _tightest(standings: Sequence[Standing]) -> Iterator[tuple[str, str, Standing]]:
    for kind, name, short in _COUNTED:
        of_kind = [standing for standing in standings if standing.limit.kind is kind]
        if of_kind:
            yield name, short, min(of_kind, key=lambda standing: standing.decision.remaining)
