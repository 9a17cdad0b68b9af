"""Which gateway is spoken to, and as whom."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from adapters.inbound.cli.admin.surroundings import Surroundings
from adapters.inbound.cli.one_line_errors import USAGE_STATUS, CommandFailed

KEY_VARIABLES = ("MOONGATE_ADMIN_KEY", "MOONGATE_MASTER_KEY")
_MOST_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says of it. None: nothing."""

    url: str | None
    key_file: Path | None
    config: Path | None
    data_dir: Path


@dataclass(frozen=True, slots=True)
class Access:
    """A gateway's address and a key for it. `source` says where the key was found."""

    url: str
    key: str = field(repr=False)
    source: str


def access(wanted: Wanted, around: Surroundings) -> Access:
    """The gateway and the key.

    Raises:
        CommandFailed: There is no key, or what is given is no address or no key.
    """
    url = _checked(wanted.url or around.configured_url(wanted.config))
    return Access(url, *_key(wanted, around, url))


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or parts.username is not None or not url.isprintable():
        raise _refusal("the gateway's URL: expected one such as http://127.0.0.1:8080")
    return url.rstrip("/")


def _key(wanted: Wanted, around: Surroundings, url: str) -> tuple[str, str]:
    if wanted.key_file is not None:
        return _read(wanted.key_file), str(wanted.key_file)
    for name in KEY_VARIABLES:
        if found := around.environ.get(name):
            return _plain(found, name), name
    stored = around.stored_key(wanted.data_dir)
    if not stored.exists():
        raise _refusal(f"no key: set {' or '.join(KEY_VARIABLES)}, or give --key-file; there is no {stored} either")
    if not _on_this_machine(url):
        # It may do everything here, and whoever is at that address is not known to be us.
        raise _refusal(f"no key for {url}: {stored} is for this machine; set {KEY_VARIABLES[0]} or give --key-file")
    return _read(stored), str(stored)


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            return _plain(file.read(_MOST_BYTES).strip(), str(path))
    except UnicodeDecodeError:
        raise _refusal(f"{path}: expected a key, found something else") from None
    except OSError as error:
        raise _refusal(f"{path}: {error.strerror or error}") from error


def _plain(key: str, source: str) -> str:
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise _refusal(f"{source}: expected a key, found something else")
    return key


def _refusal(line: str) -> CommandFailed:
    return CommandFailed([line], USAGE_STATUS)
