class Draining:
    """Whether this process has stopped taking new work."""

    __slots__ = ("begun",)

    def __init__(self) -> None:
        self.begun = False

    def begin(self) -> None:
        """From now on `/ready` says no; what is in flight goes on."""
        self.begun = True
