import pytest

from domain.health import health_score


@pytest.mark.parametrize(
    ("p95_us", "score"),
    [
        (None, 100),
        (0, 100),
        (499_999, 100),
        (500_000, 100),
        (500_001, 99),
        (2_875_000, 75),
        (5_250_000, 50),
        (9_999_999, 0),
        (10_000_000, 0),
        (600_000_000, 0),
    ],
)
def test_health_score_is_100_up_to_500_ms_and_falls_evenly_to_0_at_10_s(p95_us: int | None, score: int) -> None:
    assert health_score(p95_us) == score


def test_health_score_never_rises_with_latency() -> None:
    scores = [health_score(p95_us) for p95_us in range(0, 11_000_000, 10_000)]

    assert scores == sorted(scores, reverse=True)
    assert set(scores) == set(range(101))
