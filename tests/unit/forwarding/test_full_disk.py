"""A disk that takes nothing is no fault of the request."""

import tempfile
from pathlib import Path

import pytest

from adapters.inbound.http.spool import IN_MEMORY_BYTES
from adapters.inbound.http.uploads import Upload
from application.errors import StateUnavailable

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


async def test_an_upload_that_the_disk_does_not_take_is_told_to_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    upload = Upload(b"b")

    with pytest.raises(StateUnavailable, match="disk"):
        await upload.take(HEAD + b"x" * (2 * IN_MEMORY_BYTES))

    upload.close()
