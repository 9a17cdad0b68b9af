"""The README, done literally: each of its snippets is run, against a gateway that was started as it says."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.gateway_process import python_path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TIMEOUT_S = 60
# The machine's own where there is one, and always one of Python, which every machine has.
CURLS = ["stand-in", *(["curl"] if shutil.which("curl") else [])]

CURL = f"""#!{sys.executable}
import sys, urllib.request
url, *options = sys.argv[1:]
pairs = list(zip(options[::2], options[1::2], strict=True))
headers = dict(value.split(": ", 1) for name, value in pairs if name == "-H")
(data,) = [value.encode() for name, value in pairs if name == "-d"]
assert {{name for name, _ in pairs}} == {{"-H", "-d"}}
sys.stdout.buffer.write(urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout={TIMEOUT_S}).read())
"""
MAKE = '#!/bin/sh\nprintf "make"; printf " [%s]" "$@"; echo\n'
MOONGATE = f'#!/bin/sh\nexec {sys.executable} -m bootstrap "$@"\n'


def snippets(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o700)


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone in the folder of a fresh clone, whose gateway is up."""

    folder: Path
    port: int
    printed: str
    environment: Mapping[str, str] = field(repr=False)

    def types(self, text: str, *, curl: str = "stand-in", **more: str) -> subprocess.CompletedProcess[str]:
        """Runs lines of shell as they stand there, only with the port that the gateway has here."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        if curl == "stand-in":
            path = f"{self.folder / 'curl'}{os.pathsep}{path}"
        return self._run(["/bin/sh", "-e", "-c", text.replace(":8080", f":{self.port}")], {"PATH": path, **more})

    def runs(self, python: str) -> subprocess.CompletedProcess[str]:
        """Runs a Python program with the key in its environment."""
        key = (self.folder / ".moongate/master_key").read_text().strip()
        program = python.replace(":8080", f":{self.port}")
        return self._run([sys.executable, "-W", "error", "-c", program], {"MOONGATE_MASTER_KEY": key})

    def _run(self, command: list[str], more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **more}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("clone")
    script(folder / "curl/curl", CURL)
    script(folder / "bin/make", MAKE)
    script(folder / ".venv/bin/moongate", MOONGATE)
    own = {name: value for name, value in os.environ.items() if not name.startswith("MOONGATE_")}
    environment = {**own, "PYTHONPATH": python_path(), "REDIS_URL": "", "DATABASE_URL": ""}
    command = [str(folder / ".venv/bin/moongate"), "serve", "--port", "0"]
    with (folder / "log").open("wb") as log:
        gateway = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield _reader(gateway, folder, environment)
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(TIMEOUT_S) == 0
    finally:
        gateway.kill()
        gateway.communicate()


def _reader(gateway: subprocess.Popen[str], folder: Path, environment: Mapping[str, str]) -> Reader:
    assert gateway.stdout is not None
    lines: list[str] = []
    for line in gateway.stdout:
        lines.append(line)
        if "curl " in line:
            break
    printed = "".join(lines)
    listens = re.search(r"listens on http://127\.0\.0\.1:(\d+)$", printed, re.MULTILINE)
    assert listens is not None, (printed, (folder / "log").read_text())
    return Reader(folder, int(listens[1]), printed, environment)


@pytest.mark.parametrize("curl", CURLS)
def test_the_curl_line_that_the_gateway_prints_answers(reader: Reader, curl: str) -> None:
    (line,) = [line.strip() for line in reader.printed.splitlines() if line.strip().startswith("curl ")]

    done = reader.types(line, curl=curl)

    assert done.returncode == 0, done.stderr
    assert '"content":"Hello"' in done.stdout


@pytest.mark.parametrize("curl", CURLS)
def test_the_curl_line_of_the_readme_answers(reader: Reader, curl: str) -> None:
    (text,) = [text for text in snippets("sh") if "curl " in text]

    done = reader.types(text, curl=curl)

    assert done.returncode == 0, done.stderr
    assert '"content":"Hello, moon"' in done.stdout


def test_the_python_of_the_readme_streams_the_answer(reader: Reader) -> None:
    (program,) = snippets("python")

    done = reader.runs(program)

    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, moon", "")


def test_the_two_commands_of_the_readme_are_the_two_targets(reader: Reader) -> None:
    done = reader.types(snippets("sh")[0])

    assert (done.stdout, done.stderr) == ("make [serve]\nmake [test]\n", "")


def test_the_configuration_of_the_readme_is_valid_and_whole(reader: Reader) -> None:
    (configuration,) = snippets("yaml")
    (commands,) = [text for text in snippets("sh") if "check-config" in text]
    (reader.folder / "my.yaml").write_text(configuration)
    address = "https://example.openai.azure.com"

    done = reader.types(commands, OPENAI_KEY_1="one", AZURE_KEY="two", AZURE_ENDPOINT=address)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("my.yaml: valid. 2 models, 3 instances (3 enabled), 0 routes.\n")
    assert re.search(r"^gpt-4 +gpt-3\.5-turbo +every attempt failed$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("make [serve] [ARGS=--config my.yaml]\n")


def test_every_snippet_of_the_readme_is_run_here() -> None:
    assert [len(snippets(language)) for language in ("sh", "python", "yaml")] == [3, 1, 1]
    assert set(re.findall(r"^```(\w+)$", README, re.MULTILINE)) == {"sh", "python", "yaml", "mermaid"}
