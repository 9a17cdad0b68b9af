from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import LeaseId
from domain.limits.leases import Leases

X, Y = LeaseId("x"), LeaseId("y")


def test_a_lease_lives_until_the_instant_it_expires() -> None:
    leases = Leases()
    leases.take(X, now_us=100, span_us=30)

    assert leases.live(129) == 1
    assert leases.live(130) == 0


def test_release_gives_the_slot_back_once() -> None:
    leases = Leases()
    leases.take(X, 0, 30)

    assert leases.release(X, 1)
    assert not leases.release(X, 1)
    assert leases.live(1) == 0


def test_taken_twice_is_one_slot() -> None:
    leases = Leases()
    leases.take(X, 0, 30)
    leases.take(X, 10, 30)

    assert leases.live(39) == 1
    assert leases.live(40) == 0


def test_an_expired_lease_is_not_renewed() -> None:
    leases = Leases()
    leases.take(X, 0, 30)

    assert not leases.renew(X, 30, 30)
    assert leases.live(30) == 0


def test_a_renewal_may_shorten_a_lease() -> None:
    leases = Leases()
    leases.take(X, 0, 30)

    assert leases.renew(X, 1, 5)
    assert leases.live(6) == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "renew", "release", "live"]),
        st.sampled_from([LeaseId(name) for name in "abcd"]),
        st.integers(0, 15),
        st.integers(1, 40),
    ),
    max_size=60,
)


@given(STEPS)
def test_leases_agree_with_a_plain_list_of_expiries(steps: list[tuple[str, LeaseId, int, int]]) -> None:
    leases, oracle, now_us = Leases(), dict[LeaseId, int](), 0
    for verb, lease, passed_us, span_us in steps:
        now_us += passed_us
        oracle = {held: expires_us for held, expires_us in oracle.items() if expires_us > now_us}
        match verb:
            case "take":
                leases.take(lease, now_us, span_us)
                oracle[lease] = now_us + span_us
            case "renew":
                assert leases.renew(lease, now_us, span_us) == (lease in oracle)
                if lease in oracle:
                    oracle[lease] = now_us + span_us
            case "release":
                assert leases.release(lease, now_us) == (oracle.pop(lease, None) is not None)
        assert leases.live(now_us) == len(oracle)


def test_a_lease_that_has_expired_can_not_be_released() -> None:
    leases = Leases()
    leases.take(X, 0, 30)

    assert not leases.release(X, 30)
