import asyncio
import threading
from dataclasses import dataclass, field

import pytest
from botocore.credentials import Credentials as BotocoreCredentials  # type: ignore[import-untyped]

from adapters.outbound.providers.bedrock.credentials import GivenKeys, Keys, MachineKeys
from domain.failure import Failure, FailureKind, ProviderFailed


@dataclass
class Renewable:
    """Credentials of botocore's that expire."""

    expires_in_s: float = 3_600.0
    renewals: int = 0
    gate: threading.Event = field(default_factory=threading.Event)

    def refresh_needed(self, span_s: float | None = None) -> bool:
        return self.expires_in_s < (900.0 if span_s is None else span_s)

    def get_frozen_credentials(self) -> BotocoreCredentials:
        self.gate.wait(5)
        self.renewals += 1
        self.expires_in_s = 3_600.0
        return BotocoreCredentials(f"key-{self.renewals}", "secret", "token")


def opened(expires_in_s: float = 3_600.0) -> Renewable:
    renewable = Renewable(expires_in_s)
    renewable.gate.set()
    return renewable


async def failure_of(keys: MachineKeys) -> Failure:
    with pytest.raises(ProviderFailed) as raised:
        await keys.valid_keys()
    return raised.value.failure


async def test_given_keys_are_the_keys() -> None:
    keys = Keys("a", "s", "t")

    assert await GivenKeys(keys).valid_keys() is keys
    assert "s" not in repr(keys).replace("Keys", "")


async def test_keys_of_the_machine_are_looked_up_once_for_all_who_wait() -> None:
    renewable = opened()
    keys = MachineKeys(find=lambda _: renewable)

    found = await asyncio.gather(*(keys.valid_keys() for _ in range(5)))

    assert found == [Keys("key-1", "secret", "token")] * 5
    assert renewable.renewals == 1


async def test_lookup_leaves_the_event_loop_alone_and_survives_who_asked_first() -> None:
    renewable = Renewable()
    keys = MachineKeys(find=lambda _: renewable)
    first, second = asyncio.ensure_future(keys.valid_keys()), asyncio.ensure_future(keys.valid_keys())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    renewable.gate.set()

    assert await second == Keys("key-1", "secret", "token")


async def test_keys_that_last_a_while_are_used_while_they_are_renewed() -> None:
    renewable = opened()
    keys = MachineKeys(find=lambda _: renewable)
    await keys.valid_keys()
    renewable.expires_in_s = 600.0
    renewable.gate.clear()

    assert (await keys.valid_keys()).access_key == "key-1"
    assert (await keys.valid_keys()).access_key == "key-1"
    pending = keys._pending
    assert pending is not None
    renewable.gate.set()
    await pending

    assert (await keys.valid_keys()).access_key == "key-2"
    assert renewable.renewals == 2


async def test_keys_about_to_expire_are_waited_for() -> None:
    renewable = opened()
    keys = MachineKeys(find=lambda _: renewable)
    await keys.valid_keys()
    renewable.expires_in_s = 30.0

    assert (await keys.valid_keys()).access_key == "key-2"


async def test_keys_that_were_refused_are_looked_up_anew() -> None:
    found = iter([BotocoreCredentials("old", "s"), BotocoreCredentials("new", "s")])
    keys = MachineKeys(find=lambda _: next(found))
    assert await keys.valid_keys() == await keys.valid_keys() == Keys("old", "s", None)

    keys.refused()

    assert await keys.valid_keys() == Keys("new", "s", None)


async def test_machine_without_credentials_is_a_clear_failure_that_sent_nothing() -> None:
    failure = await failure_of(MachineKeys(find=lambda _: None))

    assert (failure.kind, failure.was_sent) == (FailureKind.CREDENTIAL_REFUSED, False)
    assert "AWS credentials" in failure.message


async def test_lookup_that_breaks_is_a_failure_without_its_words_and_is_tried_again() -> None:
    def find(_: str) -> BotocoreCredentials:
        if not told:
            told.append("once")
            raise RuntimeError("the secret is s3cr3t")
        return BotocoreCredentials("a", "s")

    told: list[str] = []
    keys = MachineKeys(find=find)
    failure = await failure_of(keys)

    assert (failure.kind, failure.was_sent) == (FailureKind.CONNECT, False)
    assert "RuntimeError" in failure.message
    assert "s3cr3t" not in failure.message
    assert await keys.valid_keys() == Keys("a", "s", None)


async def test_lookup_is_bounded_in_time() -> None:
    renewable = Renewable()
    failure = await failure_of(MachineKeys(find=lambda _: renewable, patience_s=0.01))
    renewable.gate.set()

    assert (failure.kind, failure.was_sent) == (FailureKind.CONNECT, False)


async def test_profile_is_read_from_the_machines_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("aws")
    (folder / "credentials").write_text("[mine]\naws_access_key_id = AKIDMINE\naws_secret_access_key = s\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
        patched.setenv("AWS_CONFIG_FILE", str(folder / "config"))
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            patched.delenv(name, raising=False)

        assert await MachineKeys("mine").valid_keys() == Keys("AKIDMINE", "s", None)
        assert (await failure_of(MachineKeys("other"))).kind is FailureKind.CREDENTIAL_REFUSED
        assert (await failure_of(MachineKeys())).kind is FailureKind.CREDENTIAL_REFUSED
