import pytest

from tests.bootstrap_tests.documents import errors_in, settings_of

ECHO = "provider: {type: echo}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "router: {retry_atempts: 3}",
            "router.retry_atempts: unknown key; did you mean 'instance_retry_attempts'?",
        ),
        ("router: {fallbacks: {a: [b]}}", "router.fallbacks: unknown key; did you mean 'model_fallbacks'?"),
        ("sever: {}", "sever: unknown key; did you mean 'server'?"),
        (
            "router: {circuit_breaker: {windw: 3s}}",
            "router.circuit_breaker.windw: unknown key; did you mean 'window'?",
        ),
        (
            "model_list: [{model_name: m, provider: {type: azure, azure_endpoint: x}}]",
            "model_list[0].provider.azure_endpoint: unknown key; did you mean 'endpoint'?",
        ),
        (
            "model_list: [{model_name: m, provider: {type: gemini, region: x}}]",
            "model_list[0].provider.region: unknown key; valid here: model, api_key, base_url, headers, type",
        ),
        (
            "routes: [{slug: s, models: [{model_name: m, wieght: 1}]}]",
            "routes[0].models[0].wieght: unknown key; did you mean 'weight'?",
        ),
    ],
)
def test_an_unknown_key_names_its_path_and_the_nearest_valid_one(text: str, line: str) -> None:
    assert errors_in(text) == [line]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("server: {port: many}", "server.port: expected a whole number, found 'many'"),
        ("server: {port: 70000}", "server.port: expected at most 65535, found 70000"),
        ("server: {port: true}", "server.port: expected a number, found true"),
        ("server: {workers: 1.5}", "server.workers: expected a whole number, found 1.5"),
        ("server: 5", "server: expected a mapping of keys to values, found a number"),
        ("server: port 5", "server: expected a mapping of keys to values, found text"),
        ("cache: {enabled: 1}", "cache.enabled: expected true or false, found 1"),
        ("cache: {enabled: maybe}", "cache.enabled: expected true or false, found 'maybe'"),
        ("model_list: {a: b}", "model_list: expected a list, found a mapping"),
        ("model_list: [5]", "model_list[0]: expected a mapping of keys to values, found a number"),
        ("model_aliases: {a: [b]}", "model_aliases.a: expected text (numbers and the like need quotes), found a list"),
        (
            'router: {model_fallbacks: {"gpt-3.5": 5}}',
            'router.model_fallbacks["gpt-3.5"]: expected a list, found a number',
        ),
        (f"model_list: [{{{ECHO}}}]", "model_list[0].model_name: is required"),
        ("model_list: [{model_name: m}]", "model_list[0].provider: is required"),
        ("model_list: [{model_name: m, provider: {}}]", "model_list[0].provider.type: is required"),
        ("routes: [{slug: s, models: []}]", "routes[0].models: expected at least one model, found a list"),
        ("mode: litte", "mode: expected one of auto, lite, full, found 'litte'; did you mean 'lite'?"),
        ("7: 8", "[7]: expected a key that is text, found 7"),
        (
            "auth: {trusted_proxies: [10.0.0.0/8, here]}",
            "auth.trusted_proxies[1]: expected an IP address or a network such as 10.0.0.0/8, found 'here'",
        ),
    ],
)
def test_a_wrong_value_names_path_expectation_and_what_was_found(text: str, line: str) -> None:
    assert errors_in(text) == [line]


def test_an_unknown_provider_type_lists_all_and_suggests_one() -> None:
    (line,) = errors_in("model_list: [{model_name: m, provider: {type: opnai}}]")
    assert line.startswith("model_list[0].provider.type: expected one of openai, azure, ")
    assert line.endswith("found 'opnai'; did you mean 'openai'?")


@pytest.mark.parametrize(
    "text", ["router: {routing_strategy: fastest}", "routes: [{slug: s, strategy: fastest, models: [{model_name: m}]}]"]
)
def test_an_unknown_strategy_is_an_error(text: str) -> None:
    (line,) = errors_in(text)
    assert "strategy: unknown strategy 'fastest'" in line
    assert "priority, weighted-round-robin" in line


@pytest.mark.parametrize(
    "value",
    [
        "weight: -1",
        "weight: .inf",
        "weight: .nan",
        "weight: 0.0001",
        "rpm: 0",
        "tpm: -5",
        "max_parallel: 0",
        "timeout: 0s",
        "timeout: -1",
        "timeout: 400d",
        "priority: high",
        "priority: 1.5",
        'input_cost_per_token: "-0.1"',
        "output_cost_per_token: .nan",
        'cached_input_cost_per_token: "1e999999999"',
        "input_cost_per_token: true",
        "context_window: 0",
        "tags: [a b]",
        "tags: eu",
        "id: a/b",
        "capabilities: [teleport]",
        "routing_group: '{x}'",
    ],
)
def test_values_of_an_instance_out_of_range_are_errors(value: str) -> None:
    key = value.partition(":")[0]
    (line,) = errors_in(f"model_list: [{{model_name: m, {ECHO}, {value}}}]")
    assert line.startswith(f"model_list[0].{key}")


@pytest.mark.parametrize(
    "value",
    [
        "instance_retry_attempts: -1",
        "failover_timeout_multiple: 0.5",
        "default_timeout: 0",
        "connect_timeout: soon",
        "retry_budget: {percent: -1}",
        "circuit_breaker: {failure_rate: 1.5}",
        "circuit_breaker: {failure_rate: 0}",
        "circuit_breaker: {max_open_fraction: -0.1}",
        "circuit_breaker: {consecutive_failures: 0}",
        "circuit_breaker: {half_open_probes: 0}",
        "circuit_breaker: {window: 1ms}",
        "circuit_breaker: {open_duration: 10s, max_open_duration: 5s}",
        "max_deadline: true",
    ],
)
def test_values_of_the_router_out_of_range_are_errors(value: str) -> None:
    (line,) = errors_in(f"router: {{{value}}}")
    assert line.startswith(f"router.{value.partition(':')[0]}")


@pytest.mark.parametrize(
    "provider",
    [
        "fail_rate: 2",
        "fail_status: 200",
        "stop_after: -1",
        "delay: -1s",
        "base_url: ftp://x",
        "base_url: not a url",
        "base_url: http://user:pw@host",
        "base_url: 'http://host:99999'",
        'headers: {"a b": c}',
        'headers: {A: "b\\r\\nC: d"}',
        'api_key: "a\\nb"',
    ],
)
def test_values_of_a_provider_out_of_range_are_errors(provider: str) -> None:
    (line,) = errors_in(f"model_list: [{{model_name: m, provider: {{type: echo, {provider}}}}}]")
    assert line.startswith(f"model_list[0].provider.{provider.partition(':')[0]}")


@pytest.mark.parametrize("value", ["[]", "{}", "true", "[1]"])
def test_a_price_that_is_no_number_is_an_error(value: str) -> None:
    (line,) = errors_in(f"model_list: [{{model_name: m, {ECHO}, input_cost_per_token: {value}}}]")

    assert line.startswith("model_list[0].input_cost_per_token: expected dollars")


def test_a_pepper_that_could_be_guessed_is_an_error_that_does_not_repeat_it() -> None:
    (line,) = errors_in("auth: {key_pepper: fifteen-letters}")
    assert line.startswith("auth.key_pepper: expected at least 16 characters, or none at all")
    assert "fifteen" not in line


def test_every_error_is_reported_also_those_that_need_a_whole_view() -> None:
    text = f"""
    server: {{port: many, host: 0.0.0.0, colour: red}}
    auth: {{require_auth: false}}
    router: {{model_fallbacks: {{a: b, b: a}}, default_timeout: soon}}
    model_list:
      - {{model_name: a, id: same, {ECHO}, rpm: 0}}
      - {{{ECHO}}}
      - {{model_name: b, id: same, {ECHO}, wieght: 1}}
    model_aliases: {{b: a}}
    """
    paths = [line.partition(" ")[0] for line in errors_in(text)]
    assert paths == [
        "server.port:",
        "server.colour:",
        "router.default_timeout:",
        "model_list[0].rpm:",
        "model_list[1].model_name:",
        "model_list[2].wieght:",
        "model_list:",
        "model_aliases.b:",
        "router.model_fallbacks",
        "auth.require_auth:",
    ]


@pytest.mark.parametrize(
    ("text", "cycle"),
    [
        ("router: {model_fallbacks: {a: b, b: [c], c: a}}", "router.model_fallbacks form a cycle: a > b > c > a"),
        ("router: {context_window_fallbacks: {a: a}}", "router.context_window_fallbacks form a cycle: a > a"),
        ("model_aliases: {x: y, y: x}", "model_aliases form a cycle: x > y > x"),
        (
            "model_aliases: {latest: a}\nrouter: {model_fallbacks: {a: latest}}",
            "router.model_fallbacks form a cycle: a > a",
        ),
    ],
)
def test_a_cycle_is_an_error_that_names_it(text: str, cycle: str) -> None:
    assert errors_in(text) == [cycle]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            f"model_list: [{{model_name: a, id: x, {ECHO}}}, {{model_name: b, id: x, {ECHO}}}]",
            "model_list: several entries have the id 'x'; give each its own",
        ),
        ("model_aliases: {echo: gpt}", "model_aliases.echo: is the name of a model; rename one of them"),
        (
            "routes: [{slug: echo, models: [{model_name: echo}]}]",
            "routes: the slug 'echo' is also the name of a model; rename one of them",
        ),
        (
            "routes: [{slug: s, models: [{model_name: echo}]}, {slug: s, models: [{model_name: echo}]}]",
            "routes: several have the slug 's'; give each its own",
        ),
        (
            "model_aliases: {e: echo}\nroutes: [{slug: s, models: [{model_name: echo}, {model_name: e}]}]",
            "routes: 's' has the model 'echo' twice; give it once, with the sum of the weights",
        ),
    ],
)
def test_a_name_given_twice_is_an_error(text: str, line: str) -> None:
    assert errors_in(text) == [line]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_no_authentication_is_allowed_on_loopback(host: str) -> None:
    assert not settings_of(f"server: {{host: '{host}'}}\nauth: {{require_auth: false}}").auth.require_auth


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.example.org"])
def test_no_authentication_is_refused_elsewhere(host: str) -> None:
    (line,) = errors_in(f"server: {{host: '{host}'}}\nauth: {{require_auth: false}}")
    assert line.startswith("auth.require_auth: false is allowed only where server.host is a loopback address")


@pytest.mark.parametrize(
    "text",
    [
        "redis: {url: 'http://user:hunter2@host'}",
        'auth: {master_key: "hunter2\\u0007"}',
        "model_list: [{model_name: m, provider: {type: openai, headers: {X: 'hunter2\\n'}, api_key: {hunter2: 1}}}]",
        "auth:\n  master_key hunter2",
        "auth:\n  hunter2${X}",
        "model_list: hunter2",
        "model_list: [{model_name: m, provider: hunter2}]",
        "cache: {url: 'hunter2'}",
        "model_list: [{model_name: m, provider: {type: openai, api_key: 'pa${ss hunter2'}}]",
        "model_list: [{model_name: m, provider: {type: openai, api_key: '${hunter2!}'}}]",
        'model_list: [{model_name: m, provider: {type: openai, api_key: "hunter2${X}\\x07"}}]',
        "model_list: [{model_name: m, provider: {type: openai, base_url: 'https://u:hunter2@h/v1'}}]",
        "model_list: [{model_name: m, provider: {type: openai, base_url: 'https://u:hunter2@${X:-h}/v1'}}]",
        "model_list: [{model_name: m, provider: {type: openai, base_url: 'https://h/v1?pass=hunter2'}}]",
        "model_list: [{model_name: m, provider: {type: openai, base_url: 'u:p/hunter2@h'}}]",
        "observability: {otlp_endpoint: 'https://u:p@hunter2@h'}",
    ],
)
def test_errors_never_show_secrets(text: str) -> None:
    assert "hunter2" not in "".join(errors_in(text))
