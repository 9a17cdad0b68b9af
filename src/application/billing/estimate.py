"""What an attempt may come to, before anybody knows."""

from dataclasses import dataclass

from domain.budget.charge import LARGEST_NANO
from domain.callers import Caller
from domain.catalog import Instance
from domain.chat import Endpoint, LlmRequest
from domain.price_book import Priced, Unpriced
from domain.worst_case import worst_case_nano


@dataclass(frozen=True, slots=True)
class Terms:
    """How money is reserved.

    Attributes:
        upper_bound: Reserve what an attempt can come to at most; else what it is expected to.
        default_output_tokens: Where neither the client nor the instance sets a maximum.
        unpriced_request_nano: What a request of a model without a price counts under a hard budget.
        ttl_us: After it, a reservation that nobody ended is an orphan.
    """

    upper_bound: bool = True
    default_output_tokens: int = 150
    unpriced_request_nano: int = 10_000_000
    ttl_us: int = 660_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens and nano-dollars of one attempt. `output_tokens` are those of all choices."""

    input_tokens: int
    output_tokens: int
    cost_nano: int


def estimate(
    llm: LlmRequest, instance: Instance, price: Priced | Unpriced, terms: Terms, caller: Caller, *, most: bool
) -> Estimate:
    """With `most`, what it can't exceed if the provider keeps to the maximum of output; else what is expected."""
    output = _written(llm, instance, terms, most=most)
    input_ = _most_input(llm, instance) if most else llm.input_tokens
    if llm.endpoint.is_free:
        return Estimate(input_, 0, 0)
    units = llm.work.most_units if most else llm.work.units
    cost_nano = worst_case_nano((price,), input_, output, unpriced_nano(terms, caller), units)
    # More than a counter holds fits no budget either.
    return Estimate(input_, output, min(cost_nano, LARGEST_NANO))


def _most_input(llm: LlmRequest, instance: Instance) -> int:
    """A window is that of one prompt: it bounds neither a batch of texts, nor documents, nor a long recording."""
    most, window = llm.most_input_tokens, instance.context_window
    if window is None or not llm.endpoint.writes_text:
        return most
    prompts = llm.choices if llm.endpoint is Endpoint.COMPLETIONS else 1
    return min(window * prompts, most)


def _written(llm: LlmRequest, instance: Instance, terms: Terms, *, most: bool) -> int:
    if not llm.endpoint.writes_text:
        return llm.work.most_output_tokens if most else llm.work.output_tokens
    each = llm.max_output_tokens
    if each is None:
        each = _own_maximum(instance, terms) if most else terms.default_output_tokens
    return each * llm.choices


def unpriced_nano(terms: Terms, caller: Caller) -> int:
    """What a request of a model without a price costs that caller."""
    return terms.unpriced_request_nano if caller.has_hard_budget else 0


def maximum_to_send(llm: LlmRequest, instance: Instance, terms: Terms) -> int | None:
    """What the provider must be told so that the upper bound holds; None where the client has told it."""
    if llm.max_output_tokens is not None or not llm.endpoint.writes_text:
        return None
    return _own_maximum(instance, terms)


def _own_maximum(instance: Instance, terms: Terms) -> int:
    return instance.max_output_tokens or terms.default_output_tokens
