"""Ids for instances that the file gives none, and what tells where their replies come from."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from bootstrap.settings.models import ModelSettings
from domain.identifiers import InstanceId

_HASH_DIGITS = 8
_MADE_BY_DIGITS = 32
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def instance_ids(entries: Sequence[ModelSettings]) -> tuple[InstanceId, ...]:
    """The id of each entry, in their order: its own, else `<model>-<type>-<hash of what it is>`.

    Where an entry stands in the file, its weight, limits and prices do not enter, nor do other entries; only an
    identical twin gets a number at the end. A secret enters as the hash of its hash.
    """
    taken = {entry.id for entry in entries if entry.id}
    ids: list[InstanceId] = []
    for entry in entries:
        chosen = entry.id or _free(_derived(entry), taken)
        taken.add(chosen)
        ids.append(InstanceId(chosen))
    return tuple(ids)


def made_by(entry: ModelSettings) -> str:
    """Equal for two entries whose replies come from the same place, asked in the same way.

    Keys say who asks, and stay out; headers may say more than that, and enter as their ids have them.
    """
    provider = entry.provider
    keys = {name for name in type(provider).model_fields if isinstance(getattr(provider, name), SecretStr)}
    told = provider.model_dump(exclude_defaults=True, exclude=keys)
    told |= {"type": provider.type, "model": provider.upstream_model(entry.model_name)}
    return _digest(told)[:_MADE_BY_DIGITS]


def _derived(entry: ModelSettings) -> str:
    provider = entry.provider
    # Defaults stay out, so that a key which a later version adds renames nothing.
    identity = {
        **provider.model_dump(exclude_defaults=True),
        "type": provider.type,
        "model": provider.upstream_model(entry.model_name),
        "model_name": entry.model_name,
    }
    digest = _digest(identity)[:_HASH_DIGITS]
    return f"{_UNSAFE.sub('-', entry.model_name).strip('-')}-{provider.type}-{digest}"


def _digest(told: Mapping[str, object]) -> str:
    text = json.dumps(_without_secrets(told), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_secrets(value: object) -> object:
    if isinstance(value, SecretStr):
        return hashlib.sha256(value.get_secret_value().encode()).hexdigest()
    if isinstance(value, Mapping):
        return {key: _without_secrets(item) for key, item in value.items()}
    return value


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
