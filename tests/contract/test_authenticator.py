import pytest

from adapters.outbound.memory.authenticator import MemoryAuthenticator
from adapters.testing.small_contracts import MASTER_KEY, AuthenticatorContract
from application.ports.authenticator import Authenticator
from domain.callers import CallerKind
from tests.unit.authentication.key_store import FakeKeyStore, gateway


class TestMemoryAuthenticator(AuthenticatorContract):
    @pytest.fixture
    def authenticator(self) -> Authenticator:
        return MemoryAuthenticator(MASTER_KEY)


class TestKeyAuthenticator(AuthenticatorContract):
    @pytest.fixture
    def authenticator(self) -> Authenticator:
        return gateway(FakeKeyStore()).authenticator


async def test_without_required_authentication_anyone_is_anonymous_but_the_master_stays_the_master() -> None:
    authenticator = MemoryAuthenticator(MASTER_KEY, require_auth=False)

    callers = [await authenticator.authenticate(credential) for credential in (None, "anything", MASTER_KEY)]

    assert [caller.kind for caller in callers if caller] == [
        CallerKind.ANONYMOUS,
        CallerKind.ANONYMOUS,
        CallerKind.MASTER,
    ]


def test_an_empty_master_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        MemoryAuthenticator("")
