import pytest

from adapters.outbound.providers.capabilities import Capabilities
from bootstrap.provider_wiring import CAPABILITIES
from bootstrap.settings import BUILT_TYPES, to_catalog
from bootstrap.settings.providers import EchoProvider, OllamaProvider
from domain.catalog import InstanceLimits, RouterPolicy
from domain.chat import Endpoint
from domain.identifiers import ModelName, RouteSlug
from domain.pricing import Prices
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.resilience.retry_budget import RetryBudgetConfig
from tests.bootstrap_tests.documents import catalog_of, settings_of


def entry(provider: str) -> str:
    return f"model_list: [{{model_name: m, provider: {{{provider}}}}}]"


def test_without_a_model_list_there_is_the_echo_model() -> None:
    for text in ("", "model_list:", "model_list: []"):
        result = catalog_of(text)
        (instance,) = result.catalog.instances[ModelName("echo")]
        assert (instance.provider, instance.enabled) == ("echo", True)
        assert result.providers == {instance.id: EchoProvider()}
        assert result.warnings == ()


def test_an_instance_has_everything_that_its_entry_says() -> None:
    text = """
    model_list:
      - model_name: gpt-4
        id: gpt4-openai-eu
        provider: {type: openai, model: gpt-4o, api_key: k, base_url: https://api.openai.com/v1/}
        priority: 100
        weight: 3.0
        timeout: 60s
        rpm: 500
        tpm: 100000
        max_parallel: 50
        input_cost_per_token: "0.0000025"
        output_cost_per_token: 0.00001
        cached_input_cost_per_token: "0.00000125"
        context_window: 128000
        max_output_tokens: 16384
        tags: [eu]
        routing_group: second
    """
    result = catalog_of(text)
    (instance,) = result.catalog.all_instances()
    assert (instance.id, instance.upstream_model, instance.priority) == ("gpt4-openai-eu", "gpt-4o", 100)
    assert (instance.weight_milli, instance.timeout_us) == (3_000, 60_000_000)
    assert instance.limits == InstanceLimits(500, 100_000, 50)
    assert instance.prices == Prices(2_500_000_000, 10_000_000_000, 1_250_000_000)
    assert (instance.context_window, instance.max_output_tokens) == (128_000, 16_384)
    assert (instance.tags, instance.routing_group) == (frozenset({"eu"}), "second")
    assert result.providers[instance.id].base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ("", None),
        ('input_cost_per_token: ""', None),
        ("input_cost_per_token: 0", Prices()),
        ('output_cost_per_token: "0.000001"', Prices(0, 1_000_000_000)),
        ("cached_input_cost_per_token: 0", Prices(0, 0, 0)),
    ],
)
def test_an_instance_has_prices_of_its_own_where_its_entry_says_any(fields: str, own: Prices | None) -> None:
    (instance,) = catalog_of(f"model_list: [{{model_name: m, provider: {{type: echo}}, {fields}}}]").catalog.instances[
        ModelName("m")
    ]

    assert instance.own_prices == own
    assert instance.prices == (own or Prices())


@pytest.mark.parametrize(
    ("provider", "lacking"),
    [
        ("type: openai", "api_key"),
        ("type: openai, base_url: 'https://api.openai.com/v2'", "api_key"),
        ("type: mistral", "api_key"),
        ("type: groq", "api_key"),
        ("type: openrouter", "api_key"),
        ("type: azure, endpoint: https://x.example", "api_key"),
        ("type: azure, api_key: k", "endpoint"),
        ("type: gemini", "api_key"),
        ("type: vertex, location: global", "project"),
        ("type: vertex, project: p", "location"),
        ("type: vllm, api_key: k", "base_url"),
        ("type: custom", "base_url"),
    ],
)
def test_an_instance_without_what_its_provider_needs_is_disabled_with_a_warning(provider: str, lacking: str) -> None:
    result = catalog_of(entry(provider))
    (instance,) = result.catalog.all_instances()
    (warning,) = result.warnings
    assert not instance.enabled
    assert result.providers == {}
    assert warning.startswith(f"instance {instance.id!r} of 'm' is disabled: ")
    assert warning.endswith(f"needs {lacking!r}")


@pytest.mark.parametrize(
    "provider",
    [
        "type: openai, api_key: k",
        "type: openai, base_url: http://127.0.0.1:9/v1",
        "type: openai, api_key: k, base_url: ''",
        "type: azure, api_key: k, endpoint: https://x.example",
        "type: azure, api_key: k, base_url: https://x.example",
        "type: gemini, api_key: k",
        "type: gemini, base_url: http://127.0.0.1:9",
        "type: vertex, project: p, location: europe-west1",
        "type: vllm, base_url: http://h/v1",
        "type: custom, base_url: http://h/v1",
        "type: ollama",
        "type: echo",
    ],
)
def test_an_instance_with_what_its_provider_needs_is_enabled(provider: str) -> None:
    result = catalog_of(entry(provider))
    (instance,) = result.catalog.all_instances()
    assert instance.enabled
    assert result.warnings == ()


def test_ollama_is_looked_for_on_this_machine() -> None:
    (provider,) = catalog_of(entry("type: ollama")).providers.values()
    assert isinstance(provider, OllamaProvider)
    assert provider.base_url == "http://127.0.0.1:11434/v1"


def test_a_type_that_has_no_adapter_is_valid_and_disabled_with_a_warning() -> None:
    result = to_catalog(settings_of(entry("type: gemini, api_key: k")), BUILT_TYPES - {"gemini"})
    (instance,) = result.catalog.all_instances()
    assert not instance.enabled
    assert "no adapter for the provider type 'gemini'" in result.warnings[0]


def test_the_types_that_are_built_are_the_callers_to_say() -> None:
    settings = settings_of(entry("type: echo"))
    assert to_catalog(settings, {"openai"}).providers == {}
    assert len(to_catalog(settings, {"echo"}).providers) == 1


def test_an_instance_that_the_operator_disabled_is_no_warning() -> None:
    result = catalog_of("model_list: [{model_name: m, enabled: false, provider: {type: openai}}]")
    assert result.warnings == ()
    assert result.providers == {}


def test_the_model_upstream_defaults_to_the_models_name_and_azures_to_its_deployment() -> None:
    text = """
    model_list:
      - {model_name: a, provider: {type: echo}}
      - {model_name: b, provider: {type: echo, model: up}}
      - {model_name: c, provider: {type: azure, model: up, deployment: mine}}
    """
    assert [instance.upstream_model for instance in catalog_of(text).catalog.all_instances()] == ["a", "up", "mine"]


def test_endpoints_come_from_the_caller_by_type() -> None:
    settings = settings_of("model_list: [{model_name: m, provider: {type: groq, api_key: k}}]")
    chat = Capabilities("groq", frozenset({Endpoint.CHAT}), frozenset(), frozenset({"stop"}))
    (limited,) = to_catalog(settings, BUILT_TYPES, {"groq": chat}).catalog.all_instances()
    (unlimited,) = to_catalog(settings, BUILT_TYPES).catalog.all_instances()
    text = frozenset(endpoint for endpoint in Endpoint if not endpoint.is_forwarded)
    assert (limited.supports, limited.parameters) == (
        frozenset({Endpoint.CHAT}),
        frozenset({"stop", "max_tokens", "max_completion_tokens"}),
    )
    assert unlimited.supports == text


def test_custom_server_is_sent_what_its_entry_says_it_has() -> None:
    own = "provider: {type: custom, base_url: 'http://x/v1'}"
    settings = settings_of(f"model_list: [{{model_name: m, {own}, capabilities: [images]}}, {{model_name: n, {own}}}]")
    some, none = to_catalog(settings, BUILT_TYPES, CAPABILITIES).catalog.all_instances()
    assert some.supports == none.supports | {Endpoint.IMAGES}
    assert Endpoint.CHAT in none.supports


def test_references_to_models_that_are_not_defined_are_left_out_with_a_warning() -> None:
    text = """
    model_aliases: {good: echo, bad: gone}
    router:
      model_fallbacks: {echo: [gone], lost: echo}
      context_window_fallbacks: {echo: ech}
    routes:
      - {slug: some, models: [{model_name: gone}, {model_name: good}], fallback_models: [gone]}
      - {slug: none, models: [{model_name: gone}]}
    """
    result = catalog_of(text)
    some, none = result.catalog.routes[RouteSlug("some")], result.catalog.routes[RouteSlug("none")]
    assert result.catalog.aliases == {"good": "echo"}
    assert result.catalog.fallbacks == {}
    assert [member.model_name for member in some.models] == ["echo"]
    assert (some.fallback_models, some.enabled, none.enabled) == ((), True, False)
    assert set(result.warnings) == {
        "model_aliases.bad: 'gone' is not the name of a model, left out",
        "route 'some': 'gone' is not the name of a model, left out",
        "route 'none': 'gone' is not the name of a model, left out",
        "route 'none' is disabled: none of its models is defined",
        "router.model_fallbacks.echo: 'gone' is not the name of a model, left out",
        "router.model_fallbacks.lost: 'lost' is not the name of a model, left out",
        "router.context_window_fallbacks.echo: 'ech' is not the name of a model, left out; did you mean 'echo'?",
    }


def test_aliases_are_followed_wherever_a_model_is_named() -> None:
    text = """
    model_list: [{model_name: a, provider: {type: echo}}, {model_name: b, provider: {type: echo}}]
    model_aliases: {x: y, y: b}
    router: {model_fallbacks: {a: [x, b]}}
    routes: [{slug: r, models: [{model_name: x}], fallback_models: [y, a]}]
    """
    catalog = catalog_of(text).catalog
    route = catalog.routes[RouteSlug("r")]
    assert catalog.aliases == {"x": "b", "y": "b"}
    assert catalog.fallbacks == {"a": ("b",)}
    assert (route.models[0].model_name, route.fallback_models) == ("b", ("b", "a"))


def test_defaults_are_those_of_the_domain() -> None:
    router = settings_of("").router
    assert router.to_domain() == RouterPolicy()
    assert router.circuit_breaker.to_domain() == CircuitBreakerConfig()
    assert router.retry_budget.to_domain() == RetryBudgetConfig()


def test_every_value_of_the_router_reaches_the_domain() -> None:
    text = """
    router:
      enable_failover: false
      instance_retry_attempts: 5
      failover_timeout_multiple: 2
      enable_model_fallback: false
      default_timeout: 1s
      first_byte_timeout: 2s
      idle_timeout: 3s
      connect_timeout: 500ms
      max_deadline: 5m
      drop_params: true
      retry_budget: {percent: 50, min_per_second: 7}
      circuit_breaker: {window: 10s, failure_rate: 0.25, slow_start: 0}
    """
    router = settings_of(text).router
    assert router.to_domain() == RouterPolicy(
        enable_failover=False,
        instance_retry_attempts=5,
        failover_timeout_multiple=2.0,
        enable_model_fallback=False,
        default_timeout_us=1_000_000,
        first_byte_timeout_us=2_000_000,
        idle_timeout_us=3_000_000,
        connect_timeout_us=500_000,
        max_deadline_us=300_000_000,
        drop_params=True,
        breaker=router.circuit_breaker.to_domain(),
    )
    assert router.retry_budget.to_domain() == RetryBudgetConfig(percent=50, min_per_second=7)
    assert router.circuit_breaker.to_domain() == CircuitBreakerConfig(
        window_us=10_000_000, failure_rate=0.25, slow_start_us=0
    )
