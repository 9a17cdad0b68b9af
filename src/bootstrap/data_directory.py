"""What one gateway keeps on its own disk. Nothing that gateways must share lives here."""

import os
import secrets
import string
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bootstrap.configuration_error import ConfigurationError

DEFAULT_DATA_DIR = Path(".moongate")
KEY_FILE = "master_key"

_PREFIX = "mg_master_"
_KEY_BYTES = 32
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_DIGITS = 43  # 62**43 is the first power of 62 above 2**256
_OTHERS = 0o077


class KeySource(StrEnum):
    """Where the master key comes from."""

    CONFIGURED = "configured"
    STORED = "stored"
    GENERATED = "generated"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The master key. `path` is the file it is kept in; None for a configured one."""

    value: str = field(repr=False)
    source: KeySource
    path: Path | None


def prepare_data_directory(path: Path) -> Path:
    """The absolute path of the directory, created for its owner alone where it did not exist.

    Raises:
        ConfigurationError: It can't be created, or is something else.
    """
    absolute = path.expanduser().absolute()
    try:
        absolute.parent.mkdir(parents=True, exist_ok=True)
        absolute.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError([f"data directory {absolute}: {error.strerror or error}"]) from error
    return absolute


def master_key(data_dir: Path, configured: str) -> MasterKey:
    """The configured key, else the one kept in `data_dir`, else a new one that is kept there from now on.

    Gateways that start at once agree on one key: whoever links its file first wins, and the others read that.

    Raises:
        ConfigurationError: The directory can't be used, or its key file holds no key.
    """
    if configured:
        return MasterKey(configured, KeySource.CONFIGURED, None)
    path = prepare_data_directory(data_dir) / KEY_FILE
    try:
        if path.exists():
            return MasterKey(_read(path), KeySource.STORED, path)
        key = new_master_key()
        if _keep(path, key):
            return MasterKey(key, KeySource.GENERATED, path)
        return MasterKey(_read(path), KeySource.STORED, path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise ConfigurationError([f"master key in {path}: {reason}"]) from error


def nobodys_key() -> MasterKey:
    """A master key that nobody will ever know: this gateway has none, and is looked after with keys of admins."""
    return MasterKey(new_master_key(), KeySource.NONE, None)


def new_master_key() -> str:
    """A random key of 256 bits in letters and digits."""
    number = int.from_bytes(secrets.token_bytes(_KEY_BYTES))
    digits = ""
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        digits += _ALPHABET[digit]
    return _PREFIX + digits


def _read(path: Path) -> str:
    if path.stat().st_mode & _OTHERS:
        path.chmod(0o600)
    key = path.read_text(encoding="ascii").strip()
    if not key or not key.isprintable() or " " in key:
        raise ConfigurationError([f"master key in {path}: expected one key, found something else; delete the file"])
    return key


def _keep(path: Path, key: str) -> bool:
    """Whether the key is now in `path`; False where there was one already. The file is never seen half written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True
