"""`python -m tests.fuzz.http`: requests made from the OpenAPI document, right and wrong ones, to a real gateway."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.ports import free_port

MODELS: Final = ("echo", "away", "nobody")
"""One that answers itself, one whose upstream is not there, and none at all."""

_SEED: Final = 7
# Without `allow_header_conformance`: an id may hold slashes, so that a path under it is one of those ids as well.
_CHECKS: Final = (
    "only_an_upstream_fails,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection,unsupported_method,ignored_auth"
)
_HOOKS: Final = {"SCHEMATHESIS_HOOKS": "tests.fuzz.http_checks"}


def models() -> dict[str, object]:
    """The gateway's configuration."""
    echo = {"model_name": "echo", "id": "echo", "provider": {"type": "echo"}}
    return configuration([echo, instance("away", f"http://127.0.0.1:{free_port()}/v1")])


async def violations(
    gateway: Gateway,
    examples: int,
    folder: Path,
    options: Sequence[str] = (),
    *,
    without: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, str]:
    """Schemathesis's exit code and what it says, after so many requests for each operation and phase.

    `without`: statuses to be left out of the document, by the path of a GET.
    """
    document = await _document(gateway)
    for place, status in without.items():
        del document["paths"][place]["get"]["responses"][status]
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", f"http://127.0.0.1:{gateway.port}"),
        *("--header", f"Authorization: Bearer {gateway.key}", "--max-examples", str(examples)),
        *("--seed", str(_SEED), "--checks", _CHECKS, "--no-color", "--warnings", "off", *options),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | _HOOKS | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


async def _document(gateway: Gateway) -> dict[str, Any]:
    """The gateway's own, with names of models that it has: it documents none, and nobody would guess them."""
    reply = await raw_http.exchange(gateway.port, raw_http.get("/openapi.json"))
    document: dict[str, Any] = json.loads(reply.body)
    for schema in document["components"]["schemas"].values():
        if schema.get("title", "").endswith(("Request", "Form")) and "model" in schema.get("properties", {}):
            schema["properties"]["model"] = {"enum": list(MODELS)}
    return document


async def _run(examples: int, options: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="fuzzed-") as name:
        folder = Path(name)
        async with running_gateway(models(), folder) as gateway:
            code, output = await violations(gateway, examples, folder, options)
    print(output)
    return code


def main(arguments: Sequence[str]) -> int:
    """0 where the gateway keeps to its document."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.http", description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="for each operation and phase (100)")
    asked, options = parser.parse_known_args(arguments)
    return asyncio.run(_run(asked.examples, options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
