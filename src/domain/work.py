"""What a request asks for that is no text up to a maximum: pictures, sound, searches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """As far as the request tells.

    Attributes:
        units: What providers count instead of tokens, as expected: pictures, seconds of sound heard, characters
            spoken, searches, requests.
        most_units: A bound of that.
        output_tokens: What is expected of a model that counts its pictures, its speech or its transcript in tokens.
        most_output_tokens: A bound of that.
    """

    units: int = 0
    most_units: int = 0
    output_tokens: int = 0
    most_output_tokens: int = 0


NO_WORK = Work()
