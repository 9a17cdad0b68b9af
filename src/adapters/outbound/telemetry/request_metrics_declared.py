"""The metrics of requests: what clients asked, what became of it, what it cost."""

from adapters.outbound.telemetry.metric import counter, histogram

SPANS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
SMALL_SPANS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

REQUESTS = counter(
    "moongate_requests_total",
    "Requests for a model that have ended, by what became of them",
    *("endpoint", "model", "outcome"),
)
REQUEST_DURATION = histogram(
    "moongate_request_duration_seconds",
    "From a request's arrival at the router to its end; of a stream, to its last event",
    *("endpoint", "model", "stream"),
    buckets=SPANS_S,
)
TIME_TO_FIRST_TOKEN = histogram(
    "moongate_time_to_first_token_seconds",
    "Of streams, from the request's arrival to the first content that the client could be sent",
    "model",
    buckets=SPANS_S,
)
GATEWAY_OVERHEAD = histogram(
    "moongate_gateway_overhead_seconds",
    "Of a request's duration what was spent outside attempts: own work, stores, pauses before retries",
    "endpoint",
    buckets=SMALL_SPANS_S,
)
ATTEMPTS = counter(
    "moongate_attempts_total",
    "Calls to providers that have ended: success, cancelled or the kind of failure",
    *("model", "instance_id", "outcome"),
)
ATTEMPT_DURATION = histogram(
    "moongate_attempt_duration_seconds",
    "From a call to a provider to its end; of a stream, to its last event",
    *("model", "instance_id"),
    buckets=SPANS_S,
)
FAILOVERS = counter(
    "moongate_failovers_total", "Attempts that went to another instance than the failed one before", "model"
)
RETRIES = counter("moongate_retries_total", "Attempts that asked the same instance again", "model")
FALLBACKS = counter(
    "moongate_model_fallbacks_total", "Times that a request left a model for another, by the name it asked for", "model"
)
EXCLUSIONS = counter(
    "moongate_instance_exclusions_total", "Times that an instance was passed over, and why", "instance_id", "reason"
)
RATE_LIMITED = counter(
    "moongate_rate_limit_refusals_total", "Requests refused because the caller is over a limit of its own", "model"
)
OVER_BUDGET = counter("moongate_budget_refusals_total", "Requests refused by a hard budget", "model")
TOKENS = counter(
    "moongate_tokens_total",
    "Tokens of all attempts: input, output; cached_input is a part of input",
    *("model", "kind"),
)
COST = counter("moongate_cost_dollars_total", "What all attempts cost, in US dollars", "model")
CACHE = counter(
    "moongate_cache_requests_total", "Requests by what the response cache did: hit, miss or bypass", "model", "result"
)
DEGRADED = counter(
    "moongate_degraded_decisions_total", "Requests for which this was decided without the shared state", "what"
)
HTTP_RESPONSES = counter(
    "moongate_http_responses_total",
    "HTTP requests of any kind by path pattern and status; `none`: refused before its path was known, "
    "or the client left without an answer",
    *("rule", "status"),
)
HTTP_RECEIVED = counter("moongate_http_received_bytes_total", "Bodies of HTTP requests")
HTTP_SENT = counter("moongate_http_sent_bytes_total", "Bodies of HTTP answers")
REFUSED_CREDENTIALS = counter("moongate_refused_credentials_total", "HTTP requests without a valid credential (401)")
CIRCUIT_TRANSITIONS = counter(
    "moongate_circuit_transitions_total",
    "Circuits that this gateway saw change, by their new state and the reason",
    *("instance_id", "state", "reason"),
)
BUDGET_ALERTS = counter(
    "moongate_budget_alerts_total", "Budgets that came to so much of their limit (hard or soft)", "kind", "percent"
)
BUDGET_DRIFTS = counter("moongate_budget_drifts_total", "Budgets whose count differed from the ledger")
USAGE_RECORDS = counter(
    "moongate_usage_records_written_total", "Usage records that this gateway brought into the ledger, all new to it"
)

REQUEST_METRICS = (
    REQUESTS,
    REQUEST_DURATION,
    TIME_TO_FIRST_TOKEN,
    GATEWAY_OVERHEAD,
    ATTEMPTS,
    ATTEMPT_DURATION,
    FAILOVERS,
    RETRIES,
    FALLBACKS,
    EXCLUSIONS,
    RATE_LIMITED,
    OVER_BUDGET,
    TOKENS,
    COST,
    CACHE,
    DEGRADED,
    HTTP_RESPONSES,
    HTTP_RECEIVED,
    HTTP_SENT,
    REFUSED_CREDENTIALS,
    CIRCUIT_TRANSITIONS,
    BUDGET_ALERTS,
    BUDGET_DRIFTS,
    USAGE_RECORDS,
)
