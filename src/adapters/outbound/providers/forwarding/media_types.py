"""The kinds of replies that are passed on: what a browser would run or show as a page is none of them."""

from typing import Final

import httpx

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"

SOUNDS: Final = frozenset(
    {
        "application/octet-stream",
        "application/ogg",
        *(
            f"audio/{kind}"
            for kind in (
                "aac",
                "basic",
                "flac",
                "l16",
                "mp3",
                "mp4",
                "mpeg",
                "mulaw",
                "ogg",
                "opus",
                "pcm",
                "vnd.wave",
                "wav",
                "wave",
                "webm",
                "x-flac",
                "x-pcm",
                "x-wav",
            )
        ),
    }
)
TEXTS: Final = frozenset({"text/plain", "text/vtt", "text/srt", "application/x-subrip"})
"""Transcripts: as text, and as subtitles."""

_PARAMETERS: Final = frozenset({"charset", "rate", "channels", "codecs"})


def media_type(response: httpx.Response) -> str:
    """The kind of a reply, without its parameters; empty where the provider told none."""
    told: str = response.headers.get("content-type", "")
    return told.partition(";")[0].strip().lower()


def content_type(response: httpx.Response) -> str:
    """The same with those parameters that matter, spelled anew: nothing of the provider's can end a header line."""
    kind, *parameters = (part.strip() for part in response.headers.get("content-type", "").split(";"))
    kept = [kind.lower()]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        bare = value.strip('"')
        if name.lower() in _PARAMETERS and bare and bare.replace("-", "").replace(".", "").isalnum() and bare.isascii():
            kept.append(f"{name.lower()}={bare}")
    return "; ".join(kept)
