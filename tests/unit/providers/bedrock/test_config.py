import pytest

from adapters.outbound.providers.bedrock.config import BedrockConfig
from adapters.outbound.providers.bedrock.credentials import GivenKeys, Keys, MachineKeys
from adapters.outbound.providers.bedrock.dialect import BedrockDialect
from adapters.outbound.providers.dialect import Operation
from tests.wires.bedrock import KEYS, REGION
from tests.wires.bedrock_model import assert_signed
from tests.wires.wire import WireRequest

ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab~c.d"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "bedrock-runtime.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "bedrock-runtime.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_region_has_its_own_address(region: str, host: str) -> None:
    assert str(BedrockConfig(region).check_url()) == f"https://{host}/async-invoke?maxResults=1"


def test_models_are_quoted_in_the_path_as_awss_own_sdk_does() -> None:
    config = BedrockConfig(base_url="https://x.example/lane/")

    assert config.url("anthropic.claude-v2:1", "converse").raw_path == b"/lane/model/anthropic.claude-v2%3A1/converse"
    path = b"/lane/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fab~c.d/invoke"
    assert config.url(ARN, "invoke").raw_path == path


@pytest.mark.parametrize(
    ("config", "region"),
    [
        (BedrockConfig("eu-west-1", "https://x.example"), "eu-west-1"),
        (BedrockConfig(base_url="https://bedrock-runtime.ap-southeast-2.amazonaws.com"), "ap-southeast-2"),
        (BedrockConfig(base_url="https://vpce-1.bedrock-runtime.us-gov-west-1.vpce.amazonaws.com"), "us-gov-west-1"),
        (BedrockConfig(base_url="http://127.0.0.1:4566"), "us-east-1"),
    ],
)
def test_region_of_the_signature_is_given_or_read_from_the_address(config: BedrockConfig, region: str) -> None:
    assert config.signing_region == region


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"region": "evil.example/"},
        {"base_url": "ftp://x.example"},
        {"base_url": "https://user:pw@x.example"},
        {"region": "eu-west-1", "api_key": "a\nb"},
        {"region": "eu-west-1", "headers": {"x y": "z"}},
    ],
)
def test_what_cannot_be_sent_does_not_construct(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        BedrockConfig(**fields)  # type: ignore[arg-type]


def test_secrets_stay_out_of_the_representation() -> None:
    config = BedrockConfig("eu-west-1", "", "k-secret", "i-secret", "s-secret", "t-secret", headers={"h": "h-secret"})

    assert "secret" not in repr(config).replace("secret_access_key", "")


def test_api_key_wins_over_keys_that_win_over_the_machine() -> None:
    given = BedrockConfig("eu-west-1", access_key_id="i", secret_access_key="s").credentials()

    assert BedrockConfig("eu-west-1", api_key="k", access_key_id="i", secret_access_key="s").credentials() is None
    assert BedrockConfig("eu-west-1", headers={"Authorization": "Bearer x"}).credentials() is None
    assert given == GivenKeys(Keys("i", "s", None))
    assert isinstance(BedrockConfig("eu-west-1", profile="p").credentials(), MachineKeys)


@pytest.mark.parametrize("base_url", ["https://x.example", "http://127.0.0.1:8080/lane", "https://x.example:443/a%20b"])
@pytest.mark.parametrize("model", ["m", "a.b-v1:0", ARN])
@pytest.mark.parametrize("body", [b'{"a":"\xc3\xbc"}', b"", None])
async def test_signature_is_over_what_is_sent(base_url: str, model: str, body: bytes | None) -> None:
    config = BedrockConfig(
        REGION,
        base_url,
        access_key_id=KEYS.access_key,
        secret_access_key=KEYS.secret_key,
        session_token=KEYS.token,
        headers={"X-Amz-Extra": " a  b ", "x-other": "o"},
    )
    url = config.check_url() if body is None else config.url(model, "converse")
    headers = await BedrockDialect(config).headers(Operation(url, body), stream=True)
    told = {name.decode(): value.decode() for name, value in headers}
    path = url.raw_path.decode().partition("?")[0]
    method = "GET" if body is None else "POST"

    assert_signed(WireRequest(method, path, url.query.decode(), told, body or b""), KEYS, REGION)
    assert told["host"] == url.netloc.decode()
    assert told["x-other"] == "o"
    with pytest.raises(AssertionError):
        assert_signed(WireRequest(method, path, url.query.decode(), told, b"other"), KEYS, REGION)


async def test_api_key_is_sent_as_it_is() -> None:
    dialect = BedrockDialect(BedrockConfig("eu-west-1", api_key="bedrock-api-key-x"))
    headers = dict(await dialect.headers(dialect.check(), stream=False))

    assert headers[b"authorization"] == b"Bearer bedrock-api-key-x"
    assert b"x-amz-date" not in headers
