"""What a person reads when the gateway has started."""

import json
import shlex

from bootstrap.data_directory import KeySource, MasterKey
from bootstrap.settings.providers import BUILT_TYPES
from bootstrap.settings.root import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - recognised, not bound


def announcement(settings: Settings, master_key: MasterKey, is_terminal: bool) -> str:
    """The address, a curl line that works as printed and, once and only on a terminal, a new master key.

    Never for a log. A configured key is never in it.
    """
    address = base_url(settings)
    lines = [f"Moongate listens on {address}", ""]
    if master_key.source is KeySource.GENERATED:
        lines += [f"A master key was generated; it is kept in {master_key.path}"]
        lines += [f"Master key (printed this once): {master_key.value}", ""] if is_terminal else [""]
    lines += ["Try it:", f"  {_curl(settings, master_key, address)}", ""]
    return "\n".join(lines)


def base_url(settings: Settings) -> str:
    """Where a client on this machine reaches the server."""
    host = settings.server.host.strip("[]")
    host = _EVERYWHERE.get(host, host)
    return f"http://[{host}]:{settings.server.port}" if ":" in host else f"http://{host}:{settings.server.port}"


def _curl(settings: Settings, master_key: MasterKey, address: str) -> str:
    body = json.dumps({"model": _first_usable_model(settings), "messages": [{"role": "user", "content": "Hello"}]})
    parts = [f"curl {address}/v1/chat/completions"]
    if settings.auth.require_auth:
        parts.append(f'-H "Authorization: Bearer {_key_for_the_shell(master_key)}"')
    parts += ['-H "Content-Type: application/json"', f"-d {shlex.quote(body)}"]
    return " ".join(parts)


def _key_for_the_shell(master_key: MasterKey) -> str:
    if master_key.source is KeySource.NONE:
        return "$YOUR_KEY"
    if master_key.path is None:
        return "$MOONGATE_MASTER_KEY"
    text = str(master_key.path).replace("'", "'\\''")
    return f"$(cat '{text}')"


def _first_usable_model(settings: Settings) -> str:
    for entry in settings.models:
        if entry.enabled and entry.provider.type in BUILT_TYPES and entry.provider.lacks() is None:
            return entry.model_name
    return settings.models[0].model_name
