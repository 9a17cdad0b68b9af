"""A real gateway and its OpenAPI document, in short; `make fuzz-http` asks more."""

import re
from pathlib import Path

from tests.e2e import raw_http
from tests.e2e.gateway_process import running_gateway
from tests.fuzz.http import MODELS, models, violations

EXAMPLES = 3
LEAST_REQUESTS = 2_000


async def test_the_gateway_keeps_to_its_document_whatever_is_asked(tmp_path: Path) -> None:
    async with running_gateway(models(), tmp_path) as gateway:
        statuses = {name: (await gateway.chat(name)).status for name in MODELS}
        code, output = await violations(gateway, EXAMPLES, tmp_path)
    assert statuses == {"echo": 200, "away": 502, "nobody": 404}
    assert code == 0, output
    asked = re.search(r"(\d+) generated", output)
    assert asked is not None, output
    assert int(asked[1]) >= LEAST_REQUESTS


async def test_what_the_document_does_not_say_is_found(tmp_path: Path) -> None:
    # /ready says 200 of a gateway that is ready: a document that says otherwise is wrong.
    async with running_gateway(models(), tmp_path) as gateway:
        assert (await raw_http.exchange(gateway.port, raw_http.get("/ready"))).status == 200
        code, output = await violations(gateway, 1, tmp_path, ["--include-path", "/ready"], without={"/ready": "200"})
    assert code == 1, output
    assert "Undocumented status code" in output
