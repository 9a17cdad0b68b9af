"""The tables. Times are microseconds since the Unix epoch, money is nano-dollars, both in 64-bit integers.

What is a set or a mapping in the domain is JSON text, sorted. Rows are read and written by the repositories alone.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class _Row(SQLModel):
    metadata: ClassVar[MetaData] = METADATA


# Sorted by code points everywhere: Python and SQLite know no other way, Postgres has to be told.
_SORTED_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


class UserRow(_Row, table=True):
    """Somebody who has keys, or may look after them. `role`: admin, viewer or team-admin."""

    __tablename__ = "users"

    id: str = Field(sa_type=_SORTED_TEXT, primary_key=True)
    email: str = Field(sa_type=Text, unique=True)
    role: str = Field(sa_type=Text)
    created_at_us: int = Field(sa_type=BigInteger)
    requests_per_minute: int | None = Field(default=None, sa_type=BigInteger)
    tokens_per_minute: int | None = Field(default=None, sa_type=BigInteger)
    max_parallel: int | None = Field(default=None, sa_type=BigInteger)
    blocked: bool = False


class TeamRow(_Row, table=True):
    """An account that several users share."""

    __tablename__ = "teams"

    id: str = Field(sa_type=_SORTED_TEXT, primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    created_at_us: int = Field(sa_type=BigInteger)
    requests_per_minute: int | None = Field(default=None, sa_type=BigInteger)
    tokens_per_minute: int | None = Field(default=None, sa_type=BigInteger)
    max_parallel: int | None = Field(default=None, sa_type=BigInteger)
    models: str | None = Field(default=None, sa_type=Text)
    tags: str = Field(default="[]", sa_type=Text)
    routes: str = Field(default="{}", sa_type=Text)
    blocked: bool = False


class MembershipRow(_Row, table=True):
    """A user inside a team, and the role there. `id`: `team:user`."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("team_id", "user_id"),)

    id: str = Field(sa_type=_SORTED_TEXT, primary_key=True)
    team_id: str = Field(sa_column=Column(Text, ForeignKey("teams.id"), nullable=False))
    user_id: str = Field(sa_column=Column(Text, ForeignKey("users.id"), nullable=False, index=True))
    role: str = Field(sa_type=Text)


class KeyRow(_Row, table=True):
    """A virtual key. The key itself is nowhere: `digest` is its HMAC, `prefix` what people recognise it by.

    Revoked keys stay for ever, and may outlive the user and the team they name: these are no foreign keys.
    """

    __tablename__ = "virtual_keys"

    id: str = Field(sa_type=_SORTED_TEXT, primary_key=True)
    name: str = Field(sa_type=Text)
    prefix: str = Field(sa_type=Text)
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    scope: str = Field(sa_type=Text)
    user_id: str | None = Field(default=None, sa_column=Column(Text, index=True))
    team_id: str | None = Field(default=None, sa_column=Column(Text, index=True))
    models: str | None = Field(default=None, sa_type=Text)
    tags: str = Field(default="[]", sa_type=Text)
    routes: str = Field(default="{}", sa_type=Text)
    requests_per_minute: int | None = Field(default=None, sa_type=BigInteger)
    tokens_per_minute: int | None = Field(default=None, sa_type=BigInteger)
    max_parallel: int | None = Field(default=None, sa_type=BigInteger)
    created_at_us: int = Field(sa_type=BigInteger)
    expires_at_us: int | None = Field(default=None, sa_type=BigInteger)
    revoked_at_us: int | None = Field(default=None, sa_type=BigInteger)
    blocked: bool = False


class BudgetRow(_Row, table=True):
    """What a key, a member, a user or a team may spend in a period. `id` says whose: `team:T`, `member:T:U`.

    `user_id` and `team_id` repeat it: with whom it goes.
    """

    __tablename__ = "budgets"

    id: str = Field(sa_type=_SORTED_TEXT, primary_key=True)
    user_id: str | None = Field(default=None, sa_type=Text)
    team_id: str | None = Field(default=None, sa_type=Text)
    amount_nano: int = Field(sa_type=BigInteger)
    period: str = Field(sa_type=Text)
    timezone: str = Field(sa_type=Text)
    hard: bool = True


class PriceRow(_Row, table=True):
    """A price that the admin API has set. Nano-dollars per 1,000,000 tokens or units; the latest in force counts.

    `id`: `provider/model@effective_at_us`.
    """

    __tablename__ = "prices"

    id: str = Field(sa_type=_SORTED_TEXT, primary_key=True)
    provider: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    effective_at_us: int = Field(sa_type=BigInteger)
    input_nano: int = Field(sa_type=BigInteger)
    output_nano: int = Field(sa_type=BigInteger)
    cached_input_nano: int | None = Field(default=None, sa_type=BigInteger)
    unit_nano: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


def _where_known(column: str) -> Index:
    """An index of those that have one: whoever has none is never looked for, and does not pay for it."""
    known = text(f"{column} IS NOT NULL")
    return Index(None, column, "at_us", postgresql_where=known, sqlite_where=known)


class LedgerRow(_Row, table=True):
    """One attempt whose bytes were sent to a provider, or a cache hit; never changed, never written twice.

    The columns are the fields of `UsageRecord`.
    """

    __tablename__ = "ledger"
    # Few: each is written for every row. Reports over whole days and sums of budgets read `usage_days`.
    __table_args__ = (
        Index(None, "at_us"),
        _where_known("key_id"),
        _where_known("team_id"),
        _where_known("user_id"),
    )

    request_id: str = Field(sa_type=Text, primary_key=True)
    attempt: int = Field(primary_key=True)
    at_us: int = Field(sa_type=BigInteger)
    model_asked: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    method: str = Field(sa_type=Text)
    path: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    client_request_id: str | None = Field(default=None, sa_type=Text)
    route: str | None = Field(default=None, sa_type=Text)
    model_used: str | None = Field(default=None, sa_type=Text)
    instance_id: str | None = Field(default=None, sa_type=Text)
    provider: str | None = Field(default=None, sa_type=Text)
    status: int | None = None
    stream: bool = False
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    cached_input_tokens: int = Field(default=0, sa_type=BigInteger)
    estimated: bool = False
    cost_nano: int = Field(default=0, sa_type=BigInteger)
    latency_us: int | None = Field(default=None, sa_type=BigInteger)
    ttft_us: int | None = Field(default=None, sa_type=BigInteger)
    user_id: str | None = Field(default=None, sa_type=Text)
    team_id: str | None = Field(default=None, sa_type=Text)
    key_id: str | None = Field(default=None, sa_type=Text)
    tags: str = Field(default="[]", sa_type=Text)
    cache_hit: bool = False
    error_code: str | None = Field(default=None, sa_type=Text)
    first: bool = True


class UsageDayRow(_Row, table=True):
    """Sums of the ledger by UTC day and what reports group by. `requests` counts rows that are `first`. "" is none."""

    __tablename__ = "usage_days"
    # The primary key begins with what a budget's sum asks for; of a key it needs an index of its own.
    __table_args__ = (Index(None, "day"), Index(None, "key_id", "day"))

    team_id: str = Field(sa_type=Text, primary_key=True)
    user_id: str = Field(sa_type=Text, primary_key=True)
    day: str = Field(sa_type=Text, primary_key=True)
    key_id: str = Field(sa_type=Text, primary_key=True)
    model_asked: str = Field(sa_type=Text, primary_key=True)
    instance_id: str = Field(sa_type=Text, primary_key=True)
    requests: int = Field(default=0, sa_type=BigInteger)
    attempts: int = Field(default=0, sa_type=BigInteger)
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    cached_input_tokens: int = Field(default=0, sa_type=BigInteger)
    cost_nano: int = Field(default=0, sa_type=BigInteger)


class AuditRow(_Row, table=True):
    """One change through the admin API or the command line: who, what, before and after as JSON, secrets left out."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "target", "revision"),)

    revision: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at_us: int = Field(sa_type=BigInteger)
    actor: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    before: str | None = Field(default=None, sa_type=Text)
    after: str | None = Field(default=None, sa_type=Text)


class CounterRow(_Row, table=True):
    """Numbers without gaps. Whoever raises one holds it until its transaction ends, so they rise in that order."""

    __tablename__ = "counters"

    name: str = Field(sa_type=Text, primary_key=True)
    value: int = Field(sa_type=BigInteger)


class KeptRow(_Row, table=True):
    """What the fleet must agree on and nobody configures, such as a generated pepper."""

    __tablename__ = "kept"

    name: str = Field(sa_type=Text, primary_key=True)
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
