"""`python -m tests.fuzz.one NAME FOLDER RUNS SECONDS`: one target under libFuzzer, until it is done or has crashed.

Atheris counts which branches of the gateway an input takes, so that inputs that reach new ones are mutated further. It
must see modules being imported: nothing of the gateway may be imported before.
"""

import logging
import sys
from pathlib import Path
from random import Random
from typing import Final

import atheris  # type: ignore[import-untyped]

_ANY_WORD: Final = '"null"\n'  # libFuzzer refuses an empty dictionary
_PACKAGES: Final = ["domain", "application", "adapters", "bootstrap"]


def main(name: str, folder: Path, runs: int, seconds: int) -> None:
    """Does not return: libFuzzer ends the process."""
    with atheris.instrument_imports(include=_PACKAGES):
        from tests.fuzz.registry import TARGETS  # noqa: PLC0415 - see above
    from tests.fuzz.mutation import mutated  # noqa: PLC0415
    from tests.fuzz.target import checked  # noqa: PLC0415

    logging.disable(logging.CRITICAL)
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text(_ANY_WORD + "".join(f'"{_escaped(token)}"\n' for token in target.tokens), "ascii")

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 1 / 3:
            return bytes(atheris.Mutate(data, most))
        return mutated(data, random, most, target.tokens)

    longest = max([target.longest, *map(len, target.seeds())])
    options = [f"-runs={runs}", f"-max_total_time={seconds}", f"-max_len={longest}", f"-dict={words}"]
    options += [f"-artifact_prefix={folder}/", "-print_final_stats=1", "-timeout=60", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: checked(target, data), custom_mutator=mutate)
    atheris.Fuzz()


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
