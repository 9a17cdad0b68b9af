import os

from hypothesis import settings

pytest_plugins = ["tests.no_skips", "tests.one_worker"]

# Slow machines are no defect, so there is no deadline; CI repeats the same examples, a developer's run explores.
settings.register_profile("moongate", deadline=None, database=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("moongate")
