"""What the server knows of our scripts, and so how they are called."""

import logging
from collections.abc import Mapping

from redis.exceptions import ResponseError

from adapters.outbound.redis.connection import Client
from adapters.outbound.redis.lua_scripts import Script, ScriptError
from adapters.outbound.redis.refusals import STORE_ERRORS, is_outage
from adapters.outbound.redis.words import Word

_log = logging.getLogger("moongate.store")


class ScriptCache:
    """Calls scripts by their digests; where a proxy or an ACL refuses SCRIPT, by their sources."""

    def __init__(self, client: Client, scripts: Mapping[str, Script]) -> None:
        self._client = client
        self._scripts = scripts
        self._by_sha = True

    def __getitem__(self, name: str) -> Script:
        return self._scripts[name]

    def called(self, script: Script) -> tuple[Word, Word]:
        """The command that runs it, and what names it."""
        return ("EVALSHA", script.sha) if self._by_sha else ("EVAL", script.source)

    async def load(self) -> None:
        """Loads every script. Warns, once, where that is refused.

        Raises:
            ScriptError: A script does not compile.
            RedisError, RedisClusterException, OSError: The server does not serve.
        """
        for script in self._scripts.values():
            try:
                await self._client.script_load(script.source)
            except STORE_ERRORS as error:
                if is_outage(error):
                    raise
                if isinstance(error, ResponseError) and ("ompil" in str(error) or "shebang" in str(error)):
                    raise ScriptError(f"{script.name}.lua: {error}") from error
                self._send_whole(str(error))
                return
        self._by_sha = True

    def _send_whole(self, reason: str) -> None:
        if self._by_sha:
            _log.warning("redis refuses SCRIPT LOAD (%s): every script is sent whole, which costs bandwidth", reason)
        self._by_sha = False
