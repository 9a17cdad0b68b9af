"""What translation put into items of a conversation, and no provider that has responses itself understands."""

import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.responses_via_chat.input_items import THOUGHTS
from adapters.outbound.providers.rewriting import rewritten

# Made of a request's id, a UUID of version 7; providers' own are longer, or of another version.
_OWN_THOUGHT: Final = re.compile(r"rs_[0-9a-f]{12}7[0-9a-f]{19}(_\d+)?")


def without_own(fields: Mapping[str, object]) -> Mapping[str, object]:
    """The fields of the request; the very same object where there is nothing of the gateway's in them."""
    items = fields.get("input")
    if not isinstance(items, list):
        return fields
    kept = rewritten(items, _item)
    return fields if kept is items else {**fields, "input": kept}


def _item(item: Any) -> Any:
    """None for a thought that only another provider, or nobody, can read."""
    match item:
        case {"type": "reasoning"}:
            return None if _is_own(item) else item
        case {"type": "function_call", "extra_content": _}:
            return {name: value for name, value in item.items() if name != "extra_content"}
        case _:
            return item


def _is_own(thought: Mapping[str, Any]) -> bool:
    sealed, item_id = thought.get("encrypted_content"), thought.get("id")
    if isinstance(sealed, str) and sealed:
        return sealed.startswith(THOUGHTS)
    return not item_id or (isinstance(item_id, str) and _OWN_THOUGHT.fullmatch(item_id) is not None)
