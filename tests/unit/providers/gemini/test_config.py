import pytest

from adapters.outbound.providers.gemini.config import GeminiConfig, VertexConfig

GEMINI = "https://generativelanguage.googleapis.com"
MODELS = "projects/p/locations/{}/publishers/google/models"


@pytest.mark.parametrize(
    ("base_url", "model", "expected"),
    [
        (GEMINI, "gemini-3-flash", f"{GEMINI}/v1beta/models/gemini-3-flash:generateContent"),
        (f"{GEMINI}/v1/", "m", f"{GEMINI}/v1/models/m:generateContent"),
        ("http://h/x", "tunedModels/t 1", "http://h/x/v1beta/tunedModels/t%201:generateContent"),
    ],
)
def test_a_model_of_the_gemini_api_has_its_url(base_url: str, model: str, expected: str) -> None:
    assert str(GeminiConfig(base_url).url(model, "generateContent")) == expected


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("europe-west1", "europe-west1-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_each_location_of_vertex_has_a_host(location: str, host: str) -> None:
    config = VertexConfig("p", location)
    assert str(config.url("m", "predict")) == f"https://{host}/v1/{MODELS.format(location)}/m:predict"
    assert str(config.check_url()) == f"https://{host}/v1beta1/publishers/google/models?pageSize=1"


def test_an_address_of_ones_own_wins_over_the_locations() -> None:
    config = VertexConfig("p", "global", "https://own.example/v1/")
    assert str(config.url("m", "x")) == f"https://own.example/v1/{MODELS.format('global')}/m:x"
    assert str(config.url("endpoints/12", "x")) == "https://own.example/v1/projects/p/locations/global/endpoints/12:x"
    assert str(config.url("projects/q/a", "x")) == "https://own.example/v1/projects/q/a:x"


def test_the_key_stands_in_its_header_and_the_operators_headers_win() -> None:
    headers = dict(GeminiConfig(api_key="k", headers={"X-Goog-Api-Key": "other"}).request_headers("a/b"))
    assert headers[b"x-goog-api-key"] == b"other"
    assert headers[b"accept"] == b"a/b"
    assert b"authorization" not in headers


@pytest.mark.parametrize(
    ("config", "wants"),
    [
        (VertexConfig("p", "global"), True),
        (VertexConfig("p", "global", api_key="k"), False),
        (VertexConfig("p", "global", headers={"Authorization": "Bearer x"}), False),
    ],
)
def test_a_token_is_wanted_where_nothing_else_opens_it(config: VertexConfig, wants: bool) -> None:
    assert config.wants_token is wants


def test_secrets_stay_out_of_what_a_configuration_shows() -> None:
    gemini = GeminiConfig(api_key="secret-key", headers={"a": "secret-header"})
    vertex = VertexConfig("p", "global", api_key="secret-key", headers={"a": "secret-header"})
    assert "secret" not in repr(gemini) + repr(vertex)
    cleaned = vertex.redactor("the-token").clean("secret-key secret-header the-token")
    assert cleaned == "[redacted] [redacted] [redacted]"


@pytest.mark.parametrize("base_url", ["ftp://h", "h", "https://user:pass@h"])
def test_an_address_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        GeminiConfig(base_url)


def test_what_would_lead_elsewhere_is_no_location_and_no_header() -> None:
    with pytest.raises(ValueError, match="location"):
        VertexConfig("p", "evil.example/")
    with pytest.raises(ValueError, match="unsendable"):
        GeminiConfig(headers={"a": "b\r\nc"})
