"""The settings as an administrator may see them: by service, and no secret in any of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from genoflow.api.desks import Configuration
from genoflow.deploy.settings import Settings

REDACTED = "[redacted]"
# Other names for two of them, as the interface that this API follows calls them.
CALLED = {"postgres": "database_url", "s3_region": "aws_region"}
EVERYWHERE = (
    "environment", "home", "cache", "kafka", "partitions", "topic_prefix", "log_level", "traces",
    "person_patterns",
)  # fmt: skip
WATCHED = ("metrics", "metrics_log_seconds")
STORE = ("s3", "s3_access_key", "s3_secret_key", "s3_region")
SERVICES: Mapping[str, tuple[str, ...]] = {
    "worker": (
        *EVERYWHERE, *STORE, "raw_bucket", "work_bucket", "results_bucket", "run_attempts_max",
        "demultiplexer", "picard_memory_mb", "bclconvert_command", "smtp", "smtp_tls", "smtp_user",
        "smtp_password", "smtp_from", "webhook_hosts", "public_url", "strict_validation",
        "lims", "lims_token_file", "lims_mapping", "scanner", "clamd", "scan_stream_bytes",
        "launcher", "batch_queues", "batch_job_definition", "aws_endpoint",
        "batch_task_queue", "batch_task_image", "batch_work_uri", "prices", "landing_left_out",
        "repair_prefix", *WATCHED,
    ),
    "api": (
        *EVERYWHERE, *STORE, "postgres", "webhook_hosts", "public_url", "cors_origins",
        "trusted_proxies", "raw_bucket", "upload_bytes_max",
    ),
    "project": (*EVERYWHERE, "postgres", *WATCHED),
    "tower": (*EVERYWHERE, *WATCHED),
    "watch": (
        *EVERYWHERE, *STORE, "raw_bucket", "transfer", "datasync_task", "aws_endpoint", *WATCHED,
    ),
    "ingest": (
        *EVERYWHERE, *STORE, "raw_bucket", "notifications_from", "notifications_topic",
        "notifications_queue", "verdicts_queue", "aws_endpoint", "landing_left_out",
        "reconcile_hours", *WATCHED,
    ),
    "buckets": (
        *EVERYWHERE, *STORE, "raw_bucket", "work_bucket", "references_bucket", "results_bucket",
        "delivery_bucket", "raw_lock_days", "bucket_encryption", "cors_origins", "aws_endpoint",
    ),
    "sweep": (*EVERYWHERE, *STORE, "work_bucket", "sweep_hours", *WATCHED),
    "backup": (*EVERYWHERE, *STORE, "backup_bucket", "backup_keep_days"),
    "upload": ("environment", "api_url", "api_key"),
    "registry": ("environment", "registry", "log_level"),
}  # fmt: skip

_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|token|credential|key)s?$")
_USER = re.compile(r"(?<=://)[^/@\s]*@")
_ASSIGNED = re.compile(
    r"(?i)((?:password|passwd|secret|token|credential|key)s?\s*[=:]\s*)[^&\s,;]+"
)


def configuration_of(settings: Settings) -> Configuration:
    """The settings by service, as an administrator may see them."""
    return Configuration(
        environment=settings.environment,
        services={service: _of(settings, names) for service, names in SERVICES.items()},
    )


def _of(settings: Settings, names: tuple[str, ...]) -> dict[str, Any]:
    shown = {CALLED.get(name, name): redacted(name, getattr(settings, name)) for name in names}
    return shown | {"feature_flags": {}}  # there are none: a release does what it does


def redacted(name: str, value: Any) -> Any:
    """A setting as plain JSON, without what lets somebody in."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, SecretStr):
        return _address(value.get_secret_value())
    if _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, tuple | list):
        return _items(value)
    if isinstance(value, dict):
        return {part: redacted(part, one) for part, one in value.items()}
    if isinstance(value, str | Path):
        return _ASSIGNED.sub(rf"\1{REDACTED}", _USER.sub(f"{REDACTED}@", str(value)))
    raise TypeError(f"{name}: nobody has said how {type(value).__name__} is shown; say it here")


def _items(values: tuple[Any, ...] | list[Any]) -> list[Any]:
    """Each of them; what stands behind a word such as --token is its value."""
    return [
        REDACTED if number and _SECRET_NAME.search(str(values[number - 1])) else redacted("", value)
        for number, value in enumerate(values)
    ]


def _address(secret: str) -> str:
    """Of a secret that is an address, where it leads; of any other, nothing."""
    try:
        parts = urlsplit(secret)
        host, port = parts.hostname, parts.port
    except ValueError:
        return REDACTED
    if not parts.scheme or not host:
        return REDACTED
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{port}" if port else shown
    who = f"{REDACTED}@" if "@" in parts.netloc else ""
    more = f"?{REDACTED}" if parts.query else ""
    return f"{parts.scheme}://{who}{place}{parts.path}{more}"
