from typing import Protocol

from domain.limits.admission import CallerAdmissionRequest, CallerAnswer


class CallerAdmission(Protocol):
    """What callers may do: requests and tokens a minute, requests at the same time, and what their budgets allow.

    Each method is one atomic step over all limits of the request and idempotent by its request id. A request that was
    admitted is ended once, by `settle` or by `release`, whichever comes first; `request` is the one that was admitted.
    They end its limits; what is reserved is ended by Budgets, which hold it for the same account.
    All raise StateUnavailable where the store does not answer; the step may have been taken all the same.
    """

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        """Charges every limit of the request and holds its reservation, or changes nothing.

        A limit that has no room answers CallerRefused. Where all have, the budgets answer as `Budgets.reserve` does:
        Refused, Unverified, or what CallerAdmitted carries as `reserved`. Repeated within a minute of its admission it
        answers as before and charges nothing, even when it has ended; a reservation is repeated by its attempt. A
        refusal is not remembered. A request without limits and reservation is admitted without asking the store.
        An admission whose answer was lost is taken back, with its reservation, unless the request is repeated.
        """
        ...

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        """Ends the request: its slots are free, and its tokens count as `actual_tokens` from when it was admitted.

        None leaves the estimate as it is. What came to more than the estimate counts too, beyond the limit if need be.
        Later than a minute after the admission there is nothing left to correct.
        """
        ...

    async def release(self, request: CallerAdmissionRequest) -> None:
        """Ends a request that never ran: its slots are free, and what it charged is given back.

        A token bucket does not give back again what has refilled since.
        """
        ...

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        """Holds the slots for `lease_us` from now; False where one was lost, which is not taken again."""
        ...
