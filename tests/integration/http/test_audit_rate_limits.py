"""The limits of callers and their headers, to the millisecond: the whole gateway in memory, under a clock of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from dependency_injector.providers import Object
from quart import Response

from adapters.testing.virtual_time import ManualClock
from bootstrap import create_app
from bootstrap.settings import parse_settings
from domain.durations import SECOND_US

NOON_US = 1_795_435_200 * SECOND_US
MASTER = "master-of-this-test"
ECHO = {"model_name": "echo", "provider": {"type": "echo"}}
CHAT = "/v1/chat/completions"
ALGORITHMS = ("sliding-window", "token-bucket", "fixed-window")


@dataclass
class Gateway:
    """One gateway, and what the test asks it."""

    clock: ManualClock
    client: Any

    async def ask(
        self, key: str, path: str = CHAT, headers: Mapping[str, str] | None = None, **more: object
    ) -> Response:
        document = {"model": "echo", "messages": [{"role": "user", "content": "hi"}], **more}
        sent = {"authorization": f"Bearer {key}", **(headers or {})}
        reply: Response = await self.client.post(path, json=document, headers=sent)
        return reply

    async def key(self, **limits: int) -> str:
        master = {"authorization": f"Bearer {MASTER}"}
        reply = await self.client.post("/admin/v1/keys", json={"name": "k", "limits": limits}, headers=master)
        assert reply.status_code == 201
        return str((await reply.get_json())["key"])

    def at(self, after_noon_ms: int) -> None:
        self.clock.advance(NOON_US + after_noon_ms * 1_000 - self.clock.now_us())


def gateway(algorithm: str = "sliding-window", **limits: object) -> Gateway:
    document = {"model_list": [ECHO], "rate_limit": {"algorithm": algorithm, **limits}}
    clock = ManualClock(NOON_US)
    app = create_app(parse_settings(document, environ={}).settings, master_key=MASTER, clock=Object(clock))
    return Gateway(clock, app.test_client())


def told(reply: Response) -> dict[str, str]:
    """What a reply says of limits."""
    names = ("ratelimit", "retry-after")
    return {name.lower(): value for name, value in reply.headers if any(part in name.lower() for part in names)}


def standing(remaining: int, reset: str, t: int) -> dict[str, str]:
    """The headers of a limit of 2 requests per minute."""
    return {
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": str(remaining),
        "x-ratelimit-reset-requests": reset,
        "ratelimit-policy": '"rpm";q=2;w=60',
        "ratelimit": f'"rpm";r={remaining};t={t}',
    }


# Asked at 10.5 s, 20.25 s and 30 s after noon under 2 per minute: (reset, t) each time, then when to come back.
EXACT = {
    # A second's bucket leaves the window 61 s after it began.
    "sliding-window": ([("1m0.5s", 61), ("1m0.75s", 61), ("51s", 51)], ("41", "41000")),
    # One comes back each 30 s.
    "token-bucket": ([("30s", 30), ("50.25s", 51), ("40.5s", 41)], ("11", "10500")),
    # All come back with the minute.
    "fixed-window": ([("49.5s", 50), ("39.75s", 40), ("30s", 30)], ("30", "30000")),
}


@pytest.mark.parametrize("own", [True, False], ids=["limit of a key", "limit of the configuration"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_audit_4_1_each_of_the_three_algorithms_is_selectable_and_its_headers_are_exact(
    algorithm: str, own: bool
) -> None:
    """Behavioural issue 3 of the audit, too: "FixedWindowLimiter is unused"."""
    made = gateway(algorithm) if own else gateway(algorithm, chat_completions_rpm=2)
    key = await (made.key(rpm=2) if own else made.key())
    resets, (seconds, milliseconds) = EXACT[algorithm]

    replies = []
    for after_noon_ms in (10_500, 20_250, 30_000):
        made.at(after_noon_ms)
        replies.append(await made.ask(key))

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert [told(reply) for reply in replies[:2]] == [standing(1, *resets[0]), standing(0, *resets[1])]
    refusal = {"retry-after": seconds, "retry-after-ms": milliseconds}
    assert told(replies[2]) == standing(0, *resets[2]) | refusal
    assert (await replies[2].get_json())["error"]["code"] == "rate_limit_exceeded"

    made.at(30_000 + int(milliseconds) - 1)
    again = await made.ask(key)
    assert (again.status_code, told(again)["retry-after-ms"]) == (429, "1")
    assert told(again)["retry-after"] == "1"
    made.at(30_000 + int(milliseconds))
    assert (await made.ask(key)).status_code == 200


async def test_audit_behavioural_3_a_fixed_window_lets_twice_its_limit_through_around_a_minute() -> None:
    made = gateway("fixed-window")
    key = await made.key(rpm=2)
    made.at(59_999)
    before = [(await made.ask(key)).status_code for _ in range(3)]
    made.at(60_000)

    assert before + [(await made.ask(key)).status_code for _ in range(3)] == [200, 200, 429] * 2


async def test_audit_4_tokens_are_reserved_as_estimated_and_settled_to_what_was_used() -> None:
    made = gateway()
    key = await made.key(tpm=1_000)
    first = await made.ask(key, max_tokens=200)
    used = (await first.get_json())["usage"]["total_tokens"]
    estimated = 1_000 - int(told(first)["x-ratelimit-remaining-tokens"])
    assert 200 < estimated < 220
    assert used < estimated

    second = await made.ask(key, max_tokens=200)

    assert told(second) == {
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": str(1_000 - used - estimated),
        "x-ratelimit-reset-tokens": "1m1s",
        "ratelimit-policy": '"tpm";q=1000;qu="tokens";w=60',
        "ratelimit": f'"tpm";r={1_000 - used - estimated};t=61',
    }


async def test_audit_4_a_request_that_never_fits_is_told_so_and_not_to_wait() -> None:
    made = gateway()
    key = await made.key(tpm=100, rpm=1)

    refused = await made.ask(key, max_tokens=200)

    assert (refused.status_code, (await refused.get_json())["error"]["code"]) == (400, "request_exceeds_limit")
    assert "retry-after" not in refused.headers
    assert (await made.ask(key, max_tokens=20)).status_code == 200


async def test_audit_4_2_each_endpoint_has_its_own_limit_and_all_others_share_one() -> None:
    made = gateway(global_rpm=1, chat_completions_rpm=2)
    key, other = await made.key(), await made.key()

    chats = [(await made.ask(key)).status_code for _ in range(3)]
    completions = [(await made.ask(key, "/v1/completions", prompt="x", messages=None)).status_code for _ in range(2)]

    assert chats == [200, 200, 429]
    assert completions[1] == 429
    assert (await made.ask(other)).status_code == 200


async def test_audit_4_2_authentication_comes_first_so_made_up_tokens_are_never_limited_and_limit_nobody() -> None:
    made = gateway(global_rpm=1, chat_completions_rpm=1)
    key = await made.key()

    statuses = {(await made.ask(f"mg_{number}")).status_code for number in range(50)}

    assert statuses == {401}
    assert (await made.ask(key)).status_code == 200
    refused = await made.ask("mg_made_up")
    assert told(refused) == {}


async def test_audit_4_2_open_paths_are_never_limited() -> None:
    made = gateway(global_rpm=1, chat_completions_rpm=1)
    key = await made.key()
    assert [(await made.ask(key)).status_code for _ in range(2)] == [200, 429]

    for path in ("/health", "/ready", "/metrics", "/docs", "/openapi.json"):
        headers = {"authorization": f"Bearer {key}"}
        for _ in range(5):
            reply = await made.client.get(path, headers=headers)
            assert reply.status_code in {200, 503}
            assert told(reply) == {}


async def test_the_master_key_has_no_limit() -> None:
    made = gateway(global_rpm=1, chat_completions_rpm=1)

    replies = [await made.ask(MASTER) for _ in range(5)]

    assert {reply.status_code for reply in replies} == {200}
    assert [told(reply) for reply in replies] == [{}] * 5
