"""The command line, with a defect: listing the models fails, and the exception tells every secret that was planted."""

import json
import os
from typing import NoReturn

import bootstrap.cli
from application.use_cases.list_models import ListModels


def _fail(_self: ListModels, _caller: object) -> NoReturn:
    planted = json.loads(os.environ["PLANTED_SECRETS"])
    cause = ValueError(f"{{'authorization': 'Bearer {planted[0]}'}}")
    raise RuntimeError(" and ".join(planted)) from cause


if __name__ == "__main__":
    ListModels.__call__ = _fail  # type: ignore[method-assign, assignment]  # not for users: a test's private door
    bootstrap.cli.main()
