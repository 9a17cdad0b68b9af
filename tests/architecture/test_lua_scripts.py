"""No header lies: what a script says of itself is what it does."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.outbound.redis.lua_scripts import Script, all_scripts, load
from tests.architecture.source_tree import ROOT

LUA = ROOT / "lua"
KEY_DOCS = ROOT / "docs" / "redis-keys"
SCRIPT_LINES = 80
HELPER_LINES = 25

# `tostring` and cjson keep 14 digits of a number; chance is an argument; KEYS and SCAN walk all that is stored.
FORBIDDEN = re.compile(
    r"\btostring\s*\(|\bcjson\b|\bmath\.random|\bcmsgpack\b|['\"](?:KEYS|SCAN|RANDOMKEY|EVAL)['\"]", re.IGNORECASE
)
READS = {
    *(
        "EXISTS",
        "GET",
        "GETRANGE",
        "HEXISTS",
        "HGET",
        "HGETALL",
        "HKEYS",
        "HLEN",
        "HMGET",
        "HSTRLEN",
        "HVALS",
        "INFO",
        "LINDEX",
    ),
    *("LLEN", "LRANGE", "MGET", "PEXPIRETIME", "PTTL", "SCARD", "SISMEMBER", "SMEMBERS", "SMISMEMBER", "STRLEN"),
    *("TIME", "TTL", "TYPE", "XLEN", "XRANGE", "XREVRANGE", "ZCARD", "ZCOUNT", "ZMSCORE", "ZRANGE", "ZRANGEBYSCORE"),
    *("ZRANK", "ZREVRANGE", "ZREVRANK", "ZSCORE", "HRANDFIELD"),
}
# Their key is not the second word.
STREAM_GROUPS = {"XGROUP", "XREADGROUP"}

_KEY = re.compile(r"^-- KEYS\[\d+(?:\.\.)?\]\s+(?P<name>[a-z0-9_]+)", re.MULTILINE)
_CALL = re.compile(r"\bredis\.p?call\(\s*(?P<command>[^,)]+?)\s*(?:,\s*(?P<key>[^,)]+?)\s*)?[,)](?P<rest>[^\n]*)")
_OWN = re.compile(r"\bKEYS\[[^\]]+\]")
_FIELD = re.compile(r"\b(\w+)\s*=\s*(KEYS\[|\w+)")
_LOCAL = re.compile(r"\blocal\s+(?P<names>[\w ,]+?)\s*=\s*(?P<values>[^\n]+)")
_FUNCTION = re.compile(r"\bfunction\s*[\w.]*\s*\((?P<names>[^)]*)\)")
_LOOP = re.compile(r"\bfor\s+(?P<names>[\w ,]+?)\s+in\s+\w+\(KEYS\)")
_TARGET = re.compile(r"([a-z_][\w.]*):([A-Za-z_][\w.]*)")


def code_of(text: str) -> str:
    """Without comments; one in a string would have to be looked at by hand, and is seen by a test that then fails."""
    return re.sub(r"--[^\n]*", "", text)


def lies_about_slots(script: Script) -> Iterator[str]:
    code = code_of(script.source)
    for kind, slots in (("KEYS", script.keys), ("ARGV", script.arguments)):
        literal = {int(number) for number in re.findall(rf"\b{kind}\[(\d+)\]", code)}
        whole = bool(re.search(rf"\bunpack\({kind}\)", code))
        walked = bool(re.search(rf"#{kind}\b|\b{kind}\[(?!\d+\])|\bi?pairs\({kind}\)|\bunpack\({kind},", code))
        documented = set(range(1, slots.least + 1))
        if not whole:
            yield from (f"{kind}[{number}] is documented and not used" for number in sorted(documented - literal))
        if not slots.more:
            yield from (f"{kind}[{number}] is used and not documented" for number in sorted(literal - documented))
        if slots.more and not walked:
            yield f"{kind} is documented as open-ended and not walked"
        if walked and not slots.more and not documented:
            yield f"{kind} is walked and not documented"


def targets_that_do_not_exist(mirrors: str) -> list[str]:
    targets = _TARGET.findall(mirrors)
    return [f"{module}:{name}" for module, name in targets if not _exists(module, name)] if targets else [mirrors]


def _exists(module: str, name: str) -> bool:
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return True


def keys_of_unknown_origin(text: str) -> list[str]:
    """Commands that write to what does not come from KEYS."""
    code = code_of(text)
    known = {name for found in (_FUNCTION, _LOOP) for match in found.finditer(code) for name in _names(match["names"])}
    for match in _LOCAL.finditer(code):
        if match["values"].startswith(("KEYS[", "unpack(KEYS")):
            known.update(_names(match["names"]))
    known_fields = {name for name, key in _FIELD.findall(code) if key == "KEYS[" or key in known}
    found = []
    for match in _CALL.finditer(code):
        command, key = match["command"], match["key"] or ""
        if command.strip("'\"").upper() in READS:
            continue
        if command.strip("'\"").upper() in STREAM_GROUPS:
            key = match["rest"]
        is_own = key in known or _OWN.search(key) or key.rpartition(".")[2] in known_fields
        if command.isidentifier() or ".." in key or not is_own:
            found.append(match[0])
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def keys_without_a_row(root: Path, name: str, docs: Path) -> list[str]:
    noun = name.partition("/")[0]
    page = docs / f"{noun.replace('_', '-')}.md"
    if not page.is_file():
        return [f"{page.name} is missing"]
    text = page.read_text(encoding="utf-8")
    rows = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    documented = _KEY.findall((root / f"{name}.lua").read_text(encoding="utf-8"))
    return [key for key in documented if not re.search(rf"\b{key}\b", rows)]


SCRIPTS = sorted(all_scripts(LUA))
HELPERS = sorted(path.relative_to(LUA).as_posix() for path in (LUA / "lib").glob("*.lua"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_uses_the_slots_it_documents(name: str) -> None:
    assert list(lies_about_slots(load(name, LUA))) == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_mirrors_what_exists(name: str) -> None:
    assert targets_that_do_not_exist(load(name, LUA).mirrors) == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_writes_to_its_keys_only(name: str) -> None:
    assert keys_of_unknown_origin(load(name, LUA).source) == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_its_keys_in_the_table_of_keys(name: str) -> None:
    assert keys_without_a_row(LUA, name, KEY_DOCS) == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_short_and_holds_nothing_forbidden(name: str) -> None:
    text = (LUA / f"{name}.lua").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= SCRIPT_LINES
    assert FORBIDDEN.findall(code_of(load(name, LUA).source)) == []


@pytest.mark.parametrize("path", HELPERS)
def test_a_helper_is_one_short_function_that_names_itself(path: str) -> None:
    lines = (LUA / path).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= HELPER_LINES
    said = next(line for line in lines if not line.startswith("-- @include"))
    assert said.startswith(f"-- {path.removesuffix('.lua')}: ")
    opened = [line for line in lines if re.match(r"(local )?function\b|local \w+ *= *function\b", line)]
    assert len(opened) == 1
    # Or a function in a table of its own kind: scripts see no globals of each other.
    assert opened[0].startswith((f"local function {Path(path).stem}(", "function plan_step."))


def script_with(tmp_path: Path, body: str, slots: str = "-- KEYS[1]  state  hash  absent: new\n") -> Script:
    header = f"-- a/b.lua: decides.\n--\n{slots}--\n-- Returns  {{}}\n-- Writes   KEYS[1]\n-- Mirrors  domain.money:x\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.lua").write_text(header + body, encoding="utf-8")
    return load("a/b", tmp_path)


@pytest.mark.parametrize(
    ("body", "lie"),
    [
        ("return 1\n", "KEYS[1] is documented and not used"),
        ("return 1 -- KEYS[1]\n", "KEYS[1] is documented and not used"),
        ("return {KEYS[1], KEYS[2]}\n", "KEYS[2] is used and not documented"),
        ("return {KEYS[1], ARGV[1]}\n", "ARGV[1] is used and not documented"),
        ("return {KEYS[1], ARGV[i]}\n", "ARGV is walked and not documented"),
    ],
)
def test_a_slot_that_a_header_lies_about_is_seen(tmp_path: Path, body: str, lie: str) -> None:
    assert list(lies_about_slots(script_with(tmp_path, body))) == [lie]


def test_an_open_ended_slot_must_be_walked(tmp_path: Path) -> None:
    slots = "-- KEYS[1..]  state  hash  absent: new\n"
    assert list(lies_about_slots(script_with(tmp_path, "return KEYS[1]\n", slots))) != []
    (tmp_path / "a" / "b.lua").unlink()
    (tmp_path / "a").rmdir()
    assert list(lies_about_slots(script_with(tmp_path, "return #KEYS\n", slots))) == []


@pytest.mark.parametrize("mirrors", ["domain.money:nothing", "domain.nowhere:f", "see the domain", ""])
def test_a_mirror_of_nothing_is_seen(mirrors: str) -> None:
    assert targets_that_do_not_exist(mirrors) == [mirrors]


def test_mirrors_of_functions_and_methods_are_found() -> None:
    mirrors = "domain.durations:ceil_seconds, domain.limits.leases:Leases.take"
    assert targets_that_do_not_exist(mirrors) == []


@pytest.mark.parametrize(
    "code",
    [
        "redis.call('SET', 'mg:state', 1)",
        "redis.call('SET', ARGV[1], 1)",
        "redis.call('SET', KEYS[1] .. ':x', 1)",
        "local state = ARGV[1]\nredis.call('HSET', state, 'a', 1)",
        "redis.call('DEL', state)",
        "redis.call(command, KEYS[1])",
        "redis.pcall('FLUSHALL')",
        "local function forget()\nredis.call('FLUSHALL')\nend",
        "redis.call('HSET', turn.key, 'a', 1)",
        "redis.call('XGROUP', 'CREATE', 'mg:usage', 'group', '$')",
    ],
)
def test_a_write_to_another_key_is_seen(code: str) -> None:
    assert len(keys_of_unknown_origin(code)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "redis.call('SET', KEYS[1], 1)",
        "local state = KEYS[1]\nredis.call('HSET', state, 'a', 1)",
        "local a, b = KEYS[1], KEYS[2]\nredis.call('DEL', b)",
        "for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 1) end",
        "local function touch(key)\nredis.call('PEXPIRE', key, 1)\nend",
        "redis.call('TIME')",
        "local turns = {}\nturns[1] = {key = KEYS[first + 1]}\nredis.call('HSET', turns[1].key, 'a', 1)",
        "redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'STREAMS', KEYS[1], '>')",
    ],
)
def test_a_write_to_a_key_of_its_own_is_accepted(code: str) -> None:
    assert keys_of_unknown_origin(code) == []


@pytest.mark.parametrize(
    "code", ["tostring(n)", "cjson.encode(x)", "math.random()", "redis.call('KEYS', '*')", 'redis.call("scan", 0)']
)
def test_what_scripts_must_not_hold_is_seen(code: str) -> None:
    assert FORBIDDEN.search(code) is not None
