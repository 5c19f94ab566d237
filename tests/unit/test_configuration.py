"""Settings as they are shown: all of them somewhere, and no secret anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from genoflow.deploy.configuration import SERVICES, configuration_of, redacted
from genoflow.deploy.settings import Settings

SECRETS = {
    "postgres": "postgresql://lab:pg-S3cret@db.lab.example:5432/genoflow?sslpassword=pg-S3cret",
    "s3_access_key": "AKIA-S3cret", "s3_secret_key": "s3-S3cret", "smtp_password": "smtp-S3cret",
    "kafka": "sasl://user:kafka-S3cret@k:9092", "s3": "https://user:in-S3cret@store.example",
    "registry": "https://r.example/?token=reg-S3cret&v=1",
    "bclconvert_command": ("bcl", "--license-key", "bcl-S3cret", "--token=bcl-S3cret"),
    "cors_origins": ("https://u:cors-S3cret@lab.example",),
}  # fmt: skip


def test_no_secret_is_shown_and_every_place_is(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, environment="staging", **SECRETS)  # type: ignore[arg-type]
    found = configuration_of(settings)
    assert found.environment == "staging"
    assert set(found.services) == set(SERVICES)
    text = json.dumps(found.services)
    assert "S3cret" not in text
    api = found.services["api"]
    assert api["database_url"] == (
        "postgresql://[redacted]@db.lab.example:5432/genoflow?[redacted]"
    )
    assert api["aws_region"] == "us-east-1"
    assert api["feature_flags"] == {}
    assert found.services["worker"]["bclconvert_command"] == [
        "bcl", "--license-key", "[redacted]", "--token=[redacted]",
    ]  # fmt: skip
    assert found.services["registry"]["registry"] == "https://r.example/?token=[redacted]&v=1"
    assert {one["environment"] for one in found.services.values()} == {"staging"}


def test_every_setting_is_one_of_a_service() -> None:
    named = {name for names in SERVICES.values() for name in names}
    assert named == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("postgres", SecretStr("host=db password=x"), "[redacted]"),
        ("postgres", SecretStr("postgresql://[::1]:5432/g"), "postgresql://[::1]:5432/g"),
        ("postgres", SecretStr("postgresql://h:port/g"), "[redacted]"),
        ("postgres", SecretStr(""), "[redacted]"),
        ("api_token", "abc", "[redacted]"),
        ("api_token", None, None),
        ("partitions", 4, 4),
        ("home", Path("/srv/genoflow"), "/srv/genoflow"),
        ("kafka", "a:1,b:2", "a:1,b:2"),
        ("dsn", "host=db password=hidden user=me", "host=db password=[redacted] user=me"),
        (
            "options",
            {"password": "x", "raw": "alias/a"},
            {"password": "[redacted]", "raw": "alias/a"},
        ),
    ],
)
def test_a_setting_is_shown_without_what_lets_somebody_in(
    name: str, value: Any, shown: Any
) -> None:
    assert redacted(name, value) == shown


def test_a_kind_of_setting_that_nobody_thought_of_is_not_shown() -> None:
    with pytest.raises(TypeError, match="nobody has said how set is shown"):
        redacted("options", {"x"})
