import hashlib
from pathlib import Path

import pytest

from adapters.outbound.redis.lua_scripts import ScriptError, Slots, all_scripts, load, scripts_folder

HEADER = """-- noun/verb.lua: decides something.
--
-- KEYS[1]  state   hash    absent: nothing was decided
-- ARGV[1]  amount  int     tokens
-- ARGV[2]  now_us  int|""  virtual time
--
-- Returns  {1}
-- Writes   KEYS[1]
-- Mirrors  domain.money:whole
"""


def write(folder: Path, name: str, text: str) -> None:
    path = folder / f"{name}.lua"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_header_is_the_contract_of_its_script(tmp_path: Path) -> None:
    write(tmp_path, "noun/verb", HEADER + "return 1\n")

    script = load("noun/verb", tmp_path)

    assert script.name == "noun/verb"
    assert (script.keys, script.arguments) == (Slots(1), Slots(2))
    assert script.mirrors == "domain.money:whole"
    assert script.source.startswith("#!lua\n-- noun/verb.lua: ")
    assert script.sha == hashlib.sha1(script.source.encode()).hexdigest()


def test_the_last_slot_may_be_open_ended(tmp_path: Path) -> None:
    text = HEADER.replace("-- ARGV[1]  amount", "-- KEYS[2..]  more  hash  others\n-- ARGV[1]  amount")
    write(tmp_path, "noun/verb", text + "return #KEYS\n")

    script = load("noun/verb", tmp_path)

    assert script.keys == Slots(1, more=True)
    for count, fits in ((0, False), (1, True), (2, True), (40, True)):
        assert script.keys.fit(count) is fits


@pytest.mark.parametrize(
    ("keys", "arguments", "told"),
    [
        ([], [1, 2], "noun/verb takes 1 keys, got 0"),
        (["a", "b"], [1, 2], "noun/verb takes 1 keys, got 2"),
        (["a"], [1], "noun/verb takes 2 arguments, got 1"),
        (["a"], [1, 2, 3], "noun/verb takes 2 arguments, got 3"),
    ],
)
def test_other_counts_than_documented_are_refused(
    tmp_path: Path, keys: list[str], arguments: list[int], told: str
) -> None:
    write(tmp_path, "noun/verb", HEADER + "return 1\n")

    with pytest.raises(ScriptError, match=told):
        load("noun/verb", tmp_path).check(keys, arguments)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("-- noun/verb.lua:", "-- noun/other.lua:", "must name itself"),
        ("-- Returns  {1}\n", "", "nothing of what it returns"),
        ("-- Writes   KEYS[1]\n", "", "nothing of what it writes"),
        ("-- Mirrors  domain.money:whole\n", "", "nothing of what it mirrors"),
        ("KEYS[1]  state", "KEYS[2]  state", "document its KEYS one by one"),
        ("ARGV[2]  now_us", "ARGV[3]  now_us", "document its ARGV one by one"),
        ("ARGV[1]  amount", "ARGV[1..]  amount", "the open-ended one last"),
    ],
)
def test_a_header_that_leaves_something_out_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    assert before in HEADER
    write(tmp_path, "noun/verb", HEADER.replace(before, after) + "return 1\n")

    with pytest.raises(ScriptError, match=told):
        load("noun/verb", tmp_path)


@pytest.mark.parametrize("text", ["", "return 1\n"])
def test_a_script_without_a_header_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, "noun/verb", text)

    with pytest.raises(ScriptError, match="must name itself"):
        load("noun/verb", tmp_path)


def test_a_script_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"noun/verb\.lua cannot be read"):
        load("noun/verb", tmp_path)


def test_a_helper_is_pasted_once_even_where_two_want_it(tmp_path: Path) -> None:
    write(tmp_path, "lib/inner", "local inner = 1\n")
    write(tmp_path, "lib/one", "-- @include lib/inner\nlocal one = inner\n")
    write(tmp_path, "lib/two", "-- @include lib/inner\nlocal two = inner\n")
    write(tmp_path, "noun/verb", HEADER + "-- @include lib/one\n-- @include lib/two\nreturn one + two\n")

    source = load("noun/verb", tmp_path).source

    assert source.endswith("local inner = 1\nlocal one = inner\nlocal two = inner\nreturn one + two\n")


@pytest.mark.parametrize(("first", "second"), [("lib/b", "lib/a"), ("lib/a", "lib/a")])
def test_helpers_that_include_each_other_are_refused(tmp_path: Path, first: str, second: str) -> None:
    write(tmp_path, "lib/a", f"-- @include {first}\n")
    write(tmp_path, "lib/b", f"-- @include {second}\n")
    write(tmp_path, "noun/verb", HEADER + "-- @include lib/a\n")

    with pytest.raises(ScriptError, match="cycle: noun/verb > lib/a > "):
        load("noun/verb", tmp_path)


def test_a_helper_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "noun/verb", HEADER + "-- @include lib/none\n")

    with pytest.raises(ScriptError, match=r"lib/none\.lua cannot be read"):
        load("noun/verb", tmp_path)


@pytest.mark.parametrize(
    "line", ["-- @include", "-- @include lib/A", "--@include lib/a", "  -- @include lib/a", "-- @include lib/a.lua"]
)
def test_an_include_that_is_misspelt_is_refused(tmp_path: Path, line: str) -> None:
    write(tmp_path, "lib/a", "local a = 1\n")
    write(tmp_path, "noun/verb", HEADER + line + "\nreturn 1\n")

    with pytest.raises(ScriptError, match="@include"):
        load("noun/verb", tmp_path)


@pytest.mark.parametrize(
    "slot", ["-- KEYS[2] ", "-- KEYS[2]  state", "-- ARGV[3]: n int", "--  KEYS[2]  state  hash  x"]
)
def test_a_slot_that_is_misspelt_is_refused(tmp_path: Path, slot: str) -> None:
    write(tmp_path, "noun/verb", HEADER.replace("--\n-- Returns", f"{slot}\n--\n-- Returns") + "return 1\n")

    with pytest.raises(ScriptError, match="cannot be read as a slot"):
        load("noun/verb", tmp_path)


def test_all_scripts_are_found_and_helpers_are_none(tmp_path: Path) -> None:
    write(tmp_path, "lib/a", "local a = 1\n")
    write(tmp_path, "noun/verb", HEADER + "return 1\n")
    write(tmp_path, "noun/other", HEADER.replace("noun/verb", "noun/other") + "return 1\n")

    assert sorted(all_scripts(tmp_path)) == ["noun/other", "noun/verb"]


def test_the_scripts_of_the_checkout_are_found() -> None:
    assert scripts_folder().name == "lua"
    assert (scripts_folder() / "lib" / "now.lua").is_file()
    all_scripts()
