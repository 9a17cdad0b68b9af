"""The life of a key from the command line, against a gateway that serves."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, python_path, running_gateway

MODELS = {"mode": "lite", "model_list": [{"model_name": "echo", "id": "only", "provider": {"type": "echo"}}]}
TIMEOUT_S = 60

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    document = {**MODELS, "auth": {"master_key": "${MOONGATE_MASTER_KEY:-}"}}
    async with running_gateway(document, tmp_path_factory.mktemp("gateway")) as started:
        yield started


async def moongate(gateway: Gateway, *words: str, status: int = 0) -> tuple[str, str]:
    """What a command prints, on both of its outputs."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MOONGATE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bootstrap", *words),
        env={
            **own,
            "PYTHONPATH": python_path(),
            "MOONGATE_URL": f"http://127.0.0.1:{gateway.port}",
            "MOONGATE_MASTER_KEY": gateway.key,
            # Nobody's proxy may see a key.
            **dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(TIMEOUT_S):
        told, errors = await process.communicate()
    assert process.returncode == status, errors.decode()
    return told.decode(), errors.decode()


async def chat_status(gateway: Gateway, key: str) -> int:
    head = {"authorization": f"Bearer {key}"}
    request = raw_http.post("/v1/chat/completions", raw_http.chat("echo"), head)
    return (await raw_http.exchange(gateway.port, request)).status


async def test_a_key_is_created_used_rotated_and_revoked(gateway: Gateway) -> None:
    made = await raw_http.exchange(gateway.port, gateway.post("/admin/v1/teams", b'{"name": "search"}'))
    team = made.json()["id"]
    words = f"keys create --name ci --team-id {team} --budget.amount-usd 50 --limits.rpm 100 --models echo,b"
    told, note = await moongate(gateway, *words.split())
    (first,) = re.findall(r"^key: (mg_\S+)$", told, re.MULTILINE)
    (key_id,) = re.findall(r"^id: (\S+)$", told, re.MULTILINE)
    assert note == "The key is shown this once: keep it now.\n"
    assert re.search(r"^budget\.amount_usd: 50$", told, re.MULTILINE)
    assert await chat_status(gateway, first) == 200

    listed, _ = await moongate(gateway, "keys", "--team-id", team)
    assert listed.splitlines()[1].split()[:2] == [key_id, "ci"]
    assert first not in listed

    rotated, _ = await moongate(gateway, "keys", "rotate", key_id, "--json")
    second = json.loads(rotated)["key"]
    assert (await chat_status(gateway, first), await chat_status(gateway, second)) == (401, 200)

    assert await moongate(gateway, "keys", "revoke", key_id) == ("Done.\n", "")
    assert await chat_status(gateway, second) == 401


async def test_instances_are_drained_and_taken_back(gateway: Gateway) -> None:
    assert re.search(r"^drained: yes$", (await moongate(gateway, "instances", "drain", "only"))[0], re.MULTILINE)
    assert re.search(r"^drained: no$", (await moongate(gateway, "instances", "undrain", "only"))[0], re.MULTILINE)


async def test_error_of_the_gateway_is_its_message(gateway: Gateway) -> None:
    assert await moongate(gateway, "keys", "show", "nope", status=1) == ("", "There is no key 'nope'.\n")


async def test_nobody_at_the_address_is_one_line(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mg_x")
    words = ("keys", "list", "--url", "http://127.0.0.1:1", "--key-file", str(tmp_path / "key"))

    told, errors = await moongate(gateway, *words, status=1)

    assert (told, errors.count("\n")) == ("", 1)
    assert errors.startswith("no gateway answers at http://127.0.0.1:1 (")
