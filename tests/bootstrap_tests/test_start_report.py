"""The one line that a gateway logs when it has started."""

import json
import logging

import pytest

from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.telemetry.log import JsonFormatter, TextFormatter
from bootstrap.settings import BUILT_TYPES, Settings, parse_settings, to_catalog
from bootstrap.settings.masking import masked
from bootstrap.start_report import features, start_report, tell_start
from domain.redaction import Redactor

FACTS = ProcessFacts("full", "redis.url is set", "1.2.3")
SECRET = "hunter2"


def settings() -> Settings:
    return parse_settings(
        {
            "redis": {"url": f"redis://user:{SECRET}@cache:6379/0"},
            "database": {"url": f"postgresql://moon:{SECRET}@db/moongate?sslmode=require&sslpassword={SECRET}"},
            "auth": {"master_key": SECRET},
            "server": {"workers": 2, "port": 9000},
            "model_list": [
                {"model_name": "a", "id": "a1", "provider": {"type": "echo"}},
                {"model_name": "b", "id": "b1", "provider": {"type": "openai"}},
            ],
        },
        environ={},
    ).settings


def test_report_tells_what_runs_and_what_does_not_and_no_secret() -> None:
    configured = to_catalog(settings(), BUILT_TYPES)
    stores = {"redis": "ok", "database": "does not answer"}

    report = start_report(FACTS, settings(), configured, stores, prices_of="2026-09-07", warnings=("odd",))

    assert (report["version"], report["mode"], report["why"]) == ("1.2.3", "full", "redis.url is set")
    assert (report["address"], report["workers"]) == ("http://127.0.0.1:9000", 2)
    assert report["stores"]["redis"] == {"url": "redis://***@cache:6379/0", "said": "ok"}
    assert report["stores"]["database"]["said"] == "does not answer"
    assert report["models"] == {"models": 2, "instances": 2, "enabled": 1, "routes": 0, "aliases": 0}
    assert report["disabled"] == ["b1"]
    assert report["warnings"][0] == "odd"
    assert "'b1' of 'b' is disabled" in report["warnings"][1]
    assert report["prices_of"] == "2026-09-07"
    assert SECRET not in json.dumps(report)


def test_features_that_are_off_are_false() -> None:
    off = {"cache": {"enabled": False}, "rate_limit": {"enabled": False}, "observability": {"metrics": False}}

    said = features(parse_settings(off, environ={}).settings)

    assert (said["cache"], said["rate_limits"], said["metrics"], said["traces"]) == (False, False, False, False)
    assert said["budgets_on_store_failure"] == "closed"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://host:1", "redis://host:1"),
        ("redis://:p@host:1", "redis://***@host:1"),
        ("postgresql://h/d?password=p&x=1", "postgresql://h/d?password=***&x=***"),
        ("postgresql://h/d?pass=abc", "postgresql://h/d?pass=***"),
        ("redis://u:p@ss-secret@h", "redis://***@h"),
        ("postgresql://u:p/w@h/d", "postgresql://***@h/d"),
        ("postgresql://u:p@x?w#y@h/d", "postgresql://***@h/d"),
        ("redis+sentinel://:pw@h1:1,h2:2/s", "redis+sentinel://***@h1:1,h2:2/s"),
        ("", ""),
    ],
)
def test_urls_are_shown_without_what_opens_them(url: str, seen: str) -> None:
    assert masked(url) == seen


def test_line_has_its_fields_as_json_and_as_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tell_start(FACTS, settings(), to_catalog(settings(), BUILT_TYPES), {}, prices_of="d", warnings=())

    (record,) = caplog.records
    line = json.loads(JsonFormatter(Redactor()).format(record))
    assert line["message"] == "moongate 1.2.3 serves 2 models by 1 instances at http://127.0.0.1:9000 in full mode"
    assert (line["logger"], line["workers"], line["disabled"]) == ("moongate.start", 2, ["b1"])
    text = TextFormatter(Redactor()).format(record)
    assert "serves 2 models" in text
    assert '"workers": 2' in text
    assert "\n" not in text
