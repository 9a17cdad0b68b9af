"""What the suites of the CallerAdmission port work with."""

from dataclasses import dataclass

from adapters.testing.budget_support import ACCOUNT
from adapters.testing.virtual_time import ManualClock
from application.ports.admission import CallerAdmission
from application.ports.budget import Budgets
from domain.durations import SECOND_US
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer, CallerRefused
from domain.limits.limit import Algorithm, Limit, LimitKind

LEASE_US = 30 * SECOND_US
OF_A_MINUTE = (Algorithm.SLIDING_WINDOW, Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW)


def rpm(limit: int, algorithm: Algorithm = Algorithm.SLIDING_WINDOW, name: str = "key:K:rpm") -> Limit:
    """Requests a minute."""
    return Limit(name, LimitKind.REQUESTS, limit, algorithm)


def tpm(limit: int, algorithm: Algorithm = Algorithm.SLIDING_WINDOW, name: str = "key:K:tpm") -> Limit:
    """Tokens a minute."""
    return Limit(name, LimitKind.TOKENS, limit, algorithm)


def parallel(limit: int, name: str = "key:K:parallel") -> Limit:
    """Requests at the same time."""
    return Limit(name, LimitKind.PARALLEL, limit, Algorithm.LEASES)


@dataclass
class AdmissionHarness:
    """A CallerAdmission and the clock it goes by. The suite moves the clock, which begins at the turn of a minute.

    `name` tells its requests from those of others who share the store. `budgets` are those beside the admission; None
    where it is not asked for reservations.
    """

    admission: CallerAdmission
    clock: ManualClock
    made: int = 0
    name: str = "request"
    budgets: Budgets | None = None

    def request(self, *limits: Limit, tokens: int = 0, account: str = ACCOUNT) -> CallerAdmissionRequest:
        """A request under an id of its own."""
        self.made += 1
        return CallerAdmissionRequest(RequestId(f"{self.name}-{self.made}"), account, limits, tokens, LEASE_US)

    async def admit(self, *limits: Limit, tokens: int = 0, account: str = ACCOUNT) -> CallerAnswer:
        """Asks for one request."""
        return await self.admission.admit(self.request(*limits, tokens=tokens, account=account))

    async def take(self, *limits: Limit, tokens: int = 0, account: str = ACCOUNT) -> CallerAdmissionRequest:
        """Asks for one request, which must be admitted."""
        request = self.request(*limits, tokens=tokens, account=account)
        answer = await self.admission.admit(request)
        assert isinstance(answer, CallerAdmitted), answer
        return request

    async def refused(self, *limits: Limit, tokens: int = 0) -> CallerRefused:
        """Asks for one request, which must be refused."""
        answer = await self.admit(*limits, tokens=tokens)
        assert isinstance(answer, CallerRefused), answer
        return answer

    async def left(self, limit: Limit) -> int:
        """How many requests or tokens it would admit now. Asks for none and gives back what a peek charges."""
        request = self.request(limit)
        answer = await self.admission.admit(request)
        if isinstance(answer, CallerRefused):
            return answer.decision.remaining
        assert isinstance(answer, CallerAdmitted), answer
        await self.admission.release(request)
        return answer.standings[0].decision.remaining + (limit.kind is not LimitKind.TOKENS)
