"""The YAML examples of the audit of the predecessor load here with the keys they have there."""

import pytest

from bootstrap.settings import BUILT_TYPES, to_catalog
from domain.identifiers import ModelName, RouteSlug
from domain.routing.strategy import StrategyName
from tests.bootstrap_tests.documents import catalog_of, errors_in, load, settings_of

MODELS = """
model_list:
  - {model_name: gpt-4, provider: {type: echo}}
  - {model_name: gpt-4-azure, provider: {type: echo}}
  - {model_name: gpt-3.5-turbo, provider: {type: echo}}
  - {model_name: claude-3-opus, provider: {type: echo}}
  - {model_name: claude-3-sonnet, provider: {type: echo}}
  - {model_name: claude-3-haiku, provider: {type: echo}}
"""

PRIORITY = """
router:
  routing_strategy: "priority"

model_list:
  - model_name: "gpt-4"
    provider:
      type: "openai"
      api_key: "${OPENAI_KEY_1}"
    priority: 100            # Selected first

  - model_name: "gpt-4"
    provider:
      type: "azure"
      api_key: "${AZURE_KEY}"
    priority: 50             # Selected only if openai instance is removed (unhealthy)
"""


def test_audit_1_1_the_example_of_priorities_loads_and_warns_of_what_is_missing() -> None:
    loaded = load(PRIORITY, {"OPENAI_KEY_1": "sk-1"})
    result = to_catalog(loaded.settings, BUILT_TYPES)
    openai, azure = result.catalog.instances[ModelName("gpt-4")]
    assert [(openai.priority, openai.enabled), (azure.priority, azure.enabled)] == [(100, True), (50, False)]
    assert loaded.warnings == (
        "model_list[1].provider.api_key: the environment variable AZURE_KEY is not set; read as empty",
    )
    assert result.warnings == (
        f"instance {azure.id!r} of 'gpt-4' is disabled: its provider of type 'azure' needs 'api_key'",
    )


def test_audit_1_2_the_example_of_least_latency_loads() -> None:
    text = """
router:
  routing_strategy: "least-latency"

model_list:
  - model_name: "gpt-4"
    provider:
      type: "openai"
"""
    assert catalog_of(text).policy.strategy is StrategyName.LEAST_LATENCY


def test_audit_1_3_the_example_of_weights_keeps_them_at_both_levels() -> None:
    text = """
routes:
  - name: "My GPT Route"
    slug: "my-gpt"
    strategy: "weighted-round-robin"
    models:
      - model_name: "gpt-4"
        weight: 70
      - model_name: "gpt-4-azure"
        weight: 30

model_list:
  - model_name: "gpt-4"
    weight: 3.0
    provider:
      type: "openai"
  - model_name: "gpt-4"
    weight: 1.0
    provider:
      type: "azure"
"""
    result = catalog_of(text)
    route = result.catalog.routes[RouteSlug("my-gpt")]
    assert [instance.weight_milli for instance in result.catalog.all_instances()] == [3_000, 1_000]
    assert (route.name, route.strategy) == ("My GPT Route", StrategyName.WEIGHTED_ROUND_ROBIN)
    assert [(member.model_name, member.weight_milli) for member in route.models] == [("gpt-4", 70_000)]
    assert (
        "route 'my-gpt': 'gpt-4-azure' is not the name of a model, left out; did you mean 'gpt-4'?" in result.warnings
    )


def test_audit_1_4_the_example_of_random_loads() -> None:
    assert catalog_of('router:\n  routing_strategy: "random"').policy.strategy is StrategyName.RANDOM


def test_audit_config_the_example_of_failover_loads_with_one_fallback_or_several() -> None:
    text = f"""
router:
  enable_failover: true
  instance_retry_attempts: 3
  failover_timeout_multiple: 1.5
  enable_model_fallback: true
  model_fallbacks:
    "gpt-4": "gpt-3.5-turbo"
    "claude-3-opus": ["claude-3-sonnet", "claude-3-haiku"]
{MODELS}"""
    result = catalog_of(text)
    assert result.catalog.fallbacks == {
        "gpt-4": ("gpt-3.5-turbo",),
        "claude-3-opus": ("claude-3-sonnet", "claude-3-haiku"),
    }
    assert (result.policy.enable_failover, result.policy.instance_retry_attempts) == (True, 3)
    assert result.warnings == ()


def test_audit_config_the_second_table_of_fallbacks_that_the_predecessor_never_read_is_no_key_here() -> None:
    assert errors_in("router: {fallbacks: {gpt-4: [b]}}") == [
        "router.fallbacks: unknown key; did you mean 'model_fallbacks'?"
    ]


def test_audit_2_2_the_example_of_a_route_without_a_name_is_named_after_its_slug() -> None:
    text = f"""
routes:
  - slug: "smart-model"
    strategy: "least-latency"
    models:
      - model_name: "gpt-4"
        weight: 70
      - model_name: "claude-3-opus"
        weight: 30
    fallback_models:
      - "gpt-3.5-turbo"
{MODELS}"""
    route = catalog_of(text).catalog.routes[RouteSlug("smart-model")]
    assert (route.name, route.strategy, route.fallback_models) == (
        "smart-model",
        StrategyName.LEAST_LATENCY,
        ("gpt-3.5-turbo",),
    )


def test_audit_3_the_example_of_route_priorities_loads() -> None:
    text = f"""
routes:
  - name: "Cost Optimized"
    slug: "cost-optimized"
    strategy: "weighted-round-robin"
    models:
      - model_name: "gpt-3.5-turbo"
        weight: 80
        priority: 1
      - model_name: "gpt-4"
        weight: 20
        priority: 2
    fallback_models:
      - "claude-3-haiku"
    enabled: true
{MODELS}"""
    route = catalog_of(text).catalog.routes[RouteSlug("cost-optimized")]
    assert [(member.weight_milli, member.priority) for member in route.models] == [(80_000, 1), (20_000, 2)]


def test_audit_4_2_the_example_of_rate_limits_loads() -> None:
    text = """
rate_limit:
  enabled: true
  global_rpm: 60
  chat_completions_rpm: 100
  completions_rpm: 50
  embeddings_rpm: 200
"""
    limit = settings_of(text).rate_limit
    assert (limit.global_rpm, limit.chat_completions_rpm, limit.completions_rpm, limit.embeddings_rpm) == (
        60,
        100,
        50,
        200,
    )


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("simple", StrategyName.RANDOM),
        ("weighted", StrategyName.WEIGHTED_ROUND_ROBIN),
        ("latency-based", StrategyName.LEAST_LATENCY),
        ("usage-based", StrategyName.MOST_HEADROOM),
    ],
)
def test_audit_config_the_strategy_names_of_the_predecessors_comments_load_with_a_warning(
    old: str, name: StrategyName
) -> None:
    text = (
        f"router: {{routing_strategy: {old}}}\nroutes: [{{slug: s, strategy: {old}, models: [{{model_name: echo}}]}}]"
    )
    result = catalog_of(text)
    assert result.policy.strategy is name
    assert result.catalog.routes[RouteSlug("s")].strategy is name
    first, second = result.warnings
    assert first.startswith("router.routing_strategy: ")
    assert second.startswith("route 's': ")
    assert name.value in first
