"""Several lists as one: nothing twice, nothing missed, whatever happens to the parts."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from application.administration.chained_pages import chained
from domain.pages import Page

Lists = dict[str, list[int]]

LISTS = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.integers(), max_size=7))


async def pages(lists: Lists, limit: int) -> list[Page[int]]:
    async def fetch(part: str, most: int, inner: str | None) -> Page[int]:
        assert most > 0
        start = int(inner or 0)
        found = lists[part][start : start + most]
        return Page(tuple(found), str(start + most) if start + most < len(lists[part]) else None)

    seen = [await chained(sorted(lists), fetch, limit, None)]
    while (after := seen[-1].next) is not None:
        seen.append(await chained(sorted(lists), fetch, limit, after))
    return seen


@given(lists=LISTS, limit=st.integers(1, 10))
def test_pages_together_are_all_parts_one_after_the_other(lists: Lists, limit: int) -> None:
    seen = asyncio.run(pages(lists, limit))

    assert [item for page in seen for item in page.items] == [item for name in sorted(lists) for item in lists[name]]
    assert all(len(page.items) <= limit for page in seen)


async def test_it_goes_on_behind_a_part_that_was_taken_away() -> None:
    async def fetch(part: str, _most: int, inner: str | None) -> Page[str]:
        return Page((f"{part}{inner or ''}",))

    assert (await chained(["a", "c"], fetch, 9, "b|7")).items == ("c",)
    assert (await chained(["a", "b", "c"], fetch, 9, "b|7")).items == ("b7", "c")
    assert (await chained(["a"], fetch, 9, "nonsense")).items == ()
