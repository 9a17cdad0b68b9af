import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bootstrap.configuration_error import ConfigurationError
from bootstrap.data_directory import KeySource, master_key, new_master_key, prepare_data_directory


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        created = prepare_data_directory(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert created == tmp_path / "a" / "b"
    assert mode_of(created) == 0o700


def test_a_relative_directory_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare_data_directory(Path(".moongate")) == tmp_path / ".moongate"


def test_a_directory_that_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare_data_directory(tmp_path)
    assert mode_of(tmp_path) == 0o755


def test_a_file_in_the_directorys_place_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"^data directory .*/file: File exists$"):
        prepare_data_directory(tmp_path / "file")


def test_a_configured_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    key = master_key(tmp_path / "data", "configured")
    assert (key.value, key.source, key.path) == ("configured", KeySource.CONFIGURED, None)
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_generated_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first = master_key(tmp_path, "")
    second = master_key(tmp_path, "")
    assert (first.source, second.source) == (KeySource.GENERATED, KeySource.STORED)
    assert first.value == second.value
    assert first.path == tmp_path / "master_key"
    assert mode_of(first.path) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["master_key"]
    assert first.path.read_text() == f"{first.value}\n"


def test_keys_are_long_and_all_different() -> None:
    keys = {new_master_key() for _ in range(50)}
    assert len(keys) == 50
    assert {len(key) for key in keys} == {len("mg_master_") + 43}
    assert all(key.removeprefix("mg_master_").isalnum() for key in keys)


def test_a_key_is_not_in_the_representation(tmp_path: Path) -> None:
    key = master_key(tmp_path, "")
    assert key.value not in repr(key)


def test_gateways_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    barrier = Barrier(8)

    def start(_: int) -> tuple[str, KeySource]:
        barrier.wait()
        key = master_key(tmp_path, "")
        return key.value, key.source

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(start, range(8)))
    assert len({value for value, _ in keys}) == 1
    assert [source for _, source in keys].count(KeySource.GENERATED) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["master_key"]


def test_the_second_of_two_starts_takes_the_key_that_came_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "master_key").write_text("mg_master_first\n")
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as it was when the second one looked
    key = master_key(tmp_path, "")
    assert (key.value, key.source) == ("mg_master_first", KeySource.STORED)


def test_a_stored_key_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "master_key"
    path.write_text("mg_master_x\n")
    path.chmod(0o644)
    master_key(tmp_path, "")
    assert mode_of(path) == 0o600


@pytest.mark.parametrize("content", [b"", b"\n", b"two keys", b"\xff\xfe", b"a\nb"])
def test_a_key_file_without_a_key_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "master_key").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^master key in .*/master_key: "):
        master_key(tmp_path, "")
