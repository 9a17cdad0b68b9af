"""The examples of docs/embedding.md, run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "embedding.md"
AUTO = ("-o", "asyncio_mode=auto")


def examples() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    source = Path(__file__).parents[2] / "src"
    environment = {"PYTHONPATH": str(source)} if source.exists() else {}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_whole_gateway_runs_in_memory_and_in_virtual_time(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(examples()[0])

    result = run("example.py", folder=tmp_path)

    assert result.returncode == 0, result.stderr
    (only_line,) = result.stderr.splitlines()
    assert only_line.startswith("POST /v1/chat/completions 504 5000.0ms ")


def test_an_adapter_of_ones_own_passes_the_contract(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(examples()[1])

    result = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *AUTO, "test_example.py", folder=tmp_path)

    assert result.returncode == 0, result.stdout
    assert "9 passed" in result.stdout


def test_an_adapter_that_breaks_the_contract_is_found_out(tmp_path: Path) -> None:
    broken = examples()[1].replace("> 2_000", "> 20")
    assert broken != examples()[1]
    (tmp_path / "test_example.py").write_text(broken)

    result = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *AUTO, "test_example.py", folder=tmp_path)

    assert "1 failed" in result.stdout
