"""`python -m tests.bootstrap_tests.capabilities_page` writes docs/providers/capabilities.md from the code's table."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from adapters.outbound.providers.capabilities import CHAT_PARAMETERS, Capabilities, Part, Treatment
from bootstrap.provider_wiring import CAPABILITIES
from domain.chat import Endpoint

DOCUMENT = Path(__file__).parents[2] / "docs" / "providers" / "capabilities.md"

_HEAD = """# What each type of provider can do

Made from the table that the gateway itself goes by, and compared with what each adapter sends in the tests.
What a *model* behind a provider can do, its maker says.

`GET /v1/models` tells the same of each model: `capabilities` are the endpoints that some instance behind it serves,
`supported_parameters` the fields of a chat request that the providers of all of them honour.

## Endpoints

`own`: asked in the client's own words. `translated`: served through what the provider has. `-`: answered 400
`unsupported_operation`; an instance that lacks it is never picked for it. A `custom` server's forwarded endpoints
(from moderations on) are those that its entry lists under `capabilities`; `responses` there, for any type of OpenAI's
dialect, has them asked in the client's own words. So has Azure, from the API version 2025-03-01 on.
"""
_FIELDS = """## Fields of a chat request

`yes`: sent, under the provider's own name where it has another. `no effect`: it changes nothing of the answer there,
and is not sent. `-`: answered 400 `unsupported_operation` with its name in `param`, or left out with `drop_params`.
A field that asks for nothing (null, empty, false, `n: 1`, a penalty of 0, `parallel_tool_calls: true`,
`modalities: ["text"]`) is refused nowhere. Single values that a provider lacks are on its own page.
"""
_PARTS = """## Parts of a message

Beside text. `-`: answered 400, naming the part: the gateway itself fetches nothing that a client names.
"""
_TREATMENTS = {Treatment.HONOURED: "yes", Treatment.WITHOUT_EFFECT: "no effect", Treatment.REFUSED: "-"}


def capabilities_page() -> str:
    """The page's whole text."""
    return "\n".join(
        (
            _HEAD,
            _table([one.value for one in Endpoint], lambda row, of: _endpoint(Endpoint(row), of)),
            _FIELDS,
            _table(CHAT_PARAMETERS, lambda row, of: _TREATMENTS[of.treatment(row)]),
            _PARTS,
            _table([one.value for one in Part], lambda row, of: "yes" if row in of.parts else "-"),
        )
    )


def _table(rows: Iterable[str], cell: Callable[[str, Capabilities], str]) -> str:
    types = sorted(CAPABILITIES)
    lines = [["", *types], ["---"] * (len(types) + 1)]
    lines += [[f"`{row}`", *(cell(row, CAPABILITIES[name]) for name in types)] for row in rows]
    return "".join(_line(line) for line in lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _endpoint(endpoint: Endpoint, of: Capabilities) -> str:
    if endpoint in of.native:
        return "own"
    return "translated" if endpoint in of.translated else "-"


if __name__ == "__main__":
    DOCUMENT.write_text(capabilities_page(), encoding="utf-8")
