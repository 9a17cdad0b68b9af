"""Which reload is the last one, where a supervisor may have refused others."""

from application.reloads import LastReload, Reload


def test_what_came_here_after_a_refusal_elsewhere_is_the_last() -> None:
    told: list[tuple[int, Reload | None]] = [(0, None)]
    last = LastReload(lambda: told[-1])

    refused = Reload(1, ("no such key",))
    told.append((1, refused))
    assert last.value is refused

    taken_over = Reload(2, changed=("router",))
    last.begin()
    last.keep(taken_over)
    assert last.value is taken_over
