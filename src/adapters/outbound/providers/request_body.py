"""The body that goes to a provider: the client's own bytes wherever the provider understands them."""

import json
from collections.abc import Mapping
from typing import Final

from adapters.outbound.providers.presets import Preset
from adapters.outbound.providers.splicing import to_json, with_first_member, with_member, with_model
from domain.chat import LlmRequest
from domain.failure import Failure, FailureKind, ProviderFailed

_ASK: Final = {"include_usage": True}


def bounded(request: LlmRequest, maximum: int | None, name: str) -> tuple[bytes, Mapping[str, object]]:
    """The request's body and fields, with `maximum` under that name where there is one. A null of the client's goes."""
    if maximum is None:
        return request.body, request.fields
    if name in request.fields:
        body = with_member(request.body, name, b"%d" % maximum)
    else:
        body = with_first_member(request.body, name, b"%d" % maximum)
    return body, {**request.fields, name: maximum}


def outgoing_body(
    body: bytes, fields: Mapping[str, object], model: str, *, preset: Preset, ask_usage: bool, drop_params: bool
) -> bytes:
    """`body` for a provider of this kind, with its name for the model.

    `fields` is what `body` parses to. With `ask_usage`, a stream's usage is asked for although the client did not;
    with `drop_params`, what the provider cannot honour is left out.

    Raises:
        ProviderFailed: UNSUPPORTED, naming the field that the provider cannot honour.
    """
    if preset.special_fields.isdisjoint(fields):
        return spliced_body(body, fields, model, ask_stream_usage=ask_usage)
    adapted = adapted_fields(fields, preset, drop_params=drop_params)
    return serialised_body(adapted, model, ask_stream_usage=ask_usage)


def spliced_body(body: bytes, fields: Mapping[str, object], model: str, *, ask_stream_usage: bool) -> bytes:
    """`body` with another model and, where asked, `stream_options.include_usage`; every other byte untouched."""
    # At Azure's paths the model stands in the path, and the body may have none.
    names_one = "model" in fields
    spliced = with_model(body, fields, model) if names_one else with_first_member(body, "model", to_json(model))
    if not ask_stream_usage:
        return spliced
    options = fields.get("stream_options")
    if "stream_options" not in fields:
        return with_first_member(spliced, "stream_options", to_json(_ASK))
    if options is None or isinstance(options, dict):
        return with_member(spliced, "stream_options", serialised({**(options or {}), **_ASK}))
    return spliced  # no object: the provider will say what it thinks of it


def serialised_body(fields: Mapping[str, object], model: str, *, ask_stream_usage: bool) -> bytes:
    """A new body from `fields`."""
    changed = {**fields, "model": model}
    options = fields.get("stream_options")
    if ask_stream_usage and (options is None or isinstance(options, dict)):
        changed["stream_options"] = {**(options or {}), **_ASK}
    return serialised(changed)


def adapted_fields(fields: Mapping[str, object], preset: Preset, *, drop_params: bool) -> dict[str, object]:
    """`fields` as this kind of provider knows them. An option that asks for nothing is left out."""
    honoured = preset.capabilities.honoured(fields, drop_params=drop_params)
    return {preset.renames.get(name, name): value for name, value in honoured.items()}


def expected_choices(fields: Mapping[str, object]) -> int:
    """How many choices the reply will have: `n` for each prompt; token numbers are one prompt."""
    each = fields.get("n")
    match fields.get("prompt"):
        case [str() | list(), *_] as texts:
            prompts = len(texts)
        case _:
            prompts = 1
    return prompts * max(1, each if isinstance(each, int) else 1)


def serialised(value: object) -> bytes:
    """Compact JSON in UTF-8.

    Raises:
        ProviderFailed: REQUEST_REFUSED, where a number is out of the range that can be passed on.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        message = "a number in the request is out of range"
        raise ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, message, status=400, unsent=True)) from error
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate: only an escape can carry it
        return to_json(value)
