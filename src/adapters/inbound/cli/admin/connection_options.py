"""The options that say which gateway a command speaks to, and as whom."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from adapters.inbound.cli.admin.access import Wanted

NAMES = frozenset({"url", "key_file", "config", "data_dir"})

_FILE = click.Path(path_type=Path)


def connection_options(default_data_dir: Path) -> list[click.Parameter]:
    """`--url`, `--key-file`, `--config` and `--data-dir`."""
    return [
        click.Option(
            ["--url"],
            envvar="MOONGATE_URL",
            help="The gateway's address; by default that of the configuration, and without one "
            "http://127.0.0.1:8080. Also MOONGATE_URL.",
        ),
        click.Option(
            ["--key-file"],
            type=_FILE,
            help="A file that holds a key. Without one: MOONGATE_ADMIN_KEY, MOONGATE_MASTER_KEY or, for a gateway on "
            "this machine, the master key in --data-dir. No option takes the key itself: everybody on a machine can "
            "read the arguments of its programs, and shells keep them.",
        ),
        click.Option(
            ["--config"],
            type=_FILE,
            envvar="MOONGATE_CONFIG",
            help="The gateway's configuration file, for its address. Also MOONGATE_CONFIG.",
        ),
        click.Option(
            ["--data-dir"],
            type=_FILE,
            envvar="MOONGATE_DATA_DIR",
            default=default_data_dir,
            show_default=True,
            help="Where a gateway on this machine keeps its own files. Also MOONGATE_DATA_DIR.",
        ),
    ]


def wanted(context: click.Context) -> Wanted:
    """What was given. A file on the command line wins over a URL of the environment."""
    given: Mapping[str, Any] = context.params
    typed = {name for name in NAMES if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    url = None if "config" in typed and "url" not in typed else given["url"]
    return Wanted(url, given["key_file"], given["config"], given["data_dir"])
