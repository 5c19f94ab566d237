"""The one file that reads the environment: every `GENOFLOW_…` variable is a field here."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from genoflow.events.errors import Refused


def _data_home() -> Path:
    return user_data_path("genoflow", appauthor=False)


def _cache_home() -> Path:
    return user_cache_path("genoflow", appauthor=False)


class Settings(BaseSettings):
    """Where things are. A service without an address is embedded: `genoflow up` starts it."""

    model_config = SettingsConfigDict(env_prefix="GENOFLOW_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=_data_home, description="data and logs of the local stack")
    cache: Path = Field(
        default_factory=_cache_home, description="servers that were fetched or built once"
    )
    environment: str = Field(
        "local", pattern=r"^[a-z][a-z0-9-]{0,31}$", description="what this deployment is called"
    )
    kafka: str | None = Field(None, description="host:port of an existing broker")
    postgres: SecretStr | None = Field(None, description="postgresql://… of an existing server")
    s3: str | None = Field(None, description="http(s)://host:port of an existing object store")
    s3_access_key: SecretStr = Field(SecretStr("genoflow"), description="of the object store")
    s3_secret_key: SecretStr = Field(
        SecretStr("genoflow-local-only"), description="of the object store"
    )
    s3_region: str = Field("us-east-1", description="of the object store")
    registry: str | None = Field(None, description="http(s)://host:port of an existing registry")
    partitions: int | None = Field(
        None, ge=1, le=1024, description="of every keyed topic; 4 embedded, 16 elsewhere"
    )
    topic_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]*$", description="put before every topic's name on the broker"
    )
    raw_bucket: str = Field("genoflow-raw", description="where files land")
    upload_bytes_max: int = Field(
        50 * 1_000**3,
        ge=1,
        le=48_800_000_000_000,
        description="of a file that a caller of the API sends: 50 GB; S3 keeps 48.8 TB at most",
    )
    work_bucket: str = Field("genoflow-work", description="where jobs leave their outcomes")
    results_bucket: str = Field("genoflow-results", description="where runs leave their results")
    references_bucket: str = Field(
        "genoflow-references", description="where files of references are kept"
    )
    delivery_bucket: str = Field(
        "genoflow-delivery", description="where what is handed over to others lies"
    )
    raw_lock_days: int = Field(
        365, ge=1, le=36_500, description="for how long the raw bucket's object lock holds a file"
    )
    bucket_encryption: dict[str, str] = Field(
        default_factory=lambda: {
            name: f"alias/genoflow-{name}"
            for name in ("raw", "work", "references", "results", "delivery")
        },
        description="by class of bucket, the KMS key that encrypts it: an alias, an id or an ARN",
    )
    sweep_hours: float = Field(
        24.0, gt=0, le=8_760, description="between two looks for what no rule keeps any more"
    )
    notifications_from: Literal["kafka", "sqs", "eventbridge"] = Field(
        "kafka", description="by which way the object store tells of its objects"
    )
    notifications_topic: str = Field(
        "genoflow-store-notices", pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="where the embedded store, or another one, tells of its objects on Kafka",
    )  # fmt: skip
    notifications_queue: str = Field(
        "", description="https://… of the SQS queue; EventBridge's rule has it as its target"
    )
    aws_endpoint: str | None = Field(
        None,
        description="http(s)://host:port of SQS, DataSync and Batch, where it is not Amazon's own",
    )
    landing_left_out: tuple[str, ...] = Field(
        ("runs/", "reads/", "relabelled/", "catalog/"),
        description="beginnings of keys in the raw bucket that whoever writes them reports",
    )
    repair_prefix: str = Field(
        "", max_length=1_000,
        description="the beginning of keys in the raw bucket that repairs crawl; none is all of it",
    )  # fmt: skip
    reconcile_hours: float = Field(
        24.0, ge=0, le=8_760,
        description="between two crawls for what notifications lost; 0 is never",
    )  # fmt: skip
    transfer: Literal["copy", "datasync"] = Field(
        "copy", description="who brings run folders into the raw bucket"
    )
    datasync_task: str | None = Field(
        None, pattern=r"^arn:[a-z-]+:datasync:.+:task/task-[0-9a-z]+$",
        description="arn:… of the DataSync task from the instruments' share to the raw bucket",
    )  # fmt: skip
    launcher: Literal["local", "awsbatch"] = Field(
        "local", description="where jobs run: on the worker's own machine, or at AWS Batch"
    )
    batch_queues: dict[Literal["high", "normal", "low"], str] = Field(
        default_factory=lambda: {name: f"genoflow-{name}" for name in ("high", "normal", "low")},
        description="by urgency, the job queue of AWS Batch",
    )
    batch_job_definition: str = Field(
        "genoflow-head", min_length=1, description="what a job of ours is, at AWS Batch"
    )
    batch_task_queue: str = Field(
        "", description="the job queue for the tasks of a run; none: they run on the head's host"
    )
    batch_task_image: str = Field("", description="of these tasks: the image of the head")
    batch_work_uri: str = Field(
        "", pattern=r"^(s3://.+[^/])?$", description="s3://… where tasks and head exchange files"
    )
    run_attempts_max: int = Field(
        2, ge=1, le=10, description="submissions of a run, the later ones after what may pass"
    )
    strict_validation: bool = Field(
        False, description="reject files that break any must of their format, not errors alone"
    )
    scanner: Literal["none", "clamd", "guardduty"] = Field(
        "none", description="who scans files for viruses before anybody reads them"
    )
    clamd: str | None = Field(
        None, pattern=r"^(/.+|[^/\s]+:[0-9]{1,5})$", description="host:port of clamd, or its socket"
    )
    scan_stream_bytes: int = Field(
        25 * 1_000**2,
        ge=1_000_000,
        le=4_000_000_000,
        description="that clamd takes in one stream: at most its StreamMaxLength",
    )
    verdicts_queue: str = Field(
        "", description="https://… of the SQS queue with GuardDuty's verdicts, from EventBridge"
    )
    backup_bucket: str = Field("genoflow-backup", description="where sealed segments are kept")
    backup_keep_days: int = Field(
        3_650, ge=1, le=36_500, description="for how long the object lock holds a segment"
    )
    demultiplexer: Literal["picard", "bclconvert", "on-instrument"] = Field(
        "picard", description="which program tells the reads of a run apart"
    )
    picard_memory_mb: int = Field(
        2_048, ge=256, le=1_048_576, description="of each of Picard's programs"
    )
    bclconvert_command: tuple[str, ...] = Field(
        ("bcl-convert",), min_length=1, description="the lab's own BCL Convert, with its options"
    )
    prices: Path | None = Field(
        None, description="a JSON table of what machines cost; none: the one of the package"
    )
    smtp: str | None = Field(
        None, pattern=r"^[^:\s]+:[0-9]{1,5}$", description="host:port of the server for e-mails"
    )
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="none only for a server on this machine"
    )
    smtp_user: str | None = Field(None, description="of the server for e-mails")
    smtp_password: SecretStr | None = Field(None, description="of the server for e-mails")
    smtp_from: str = Field(
        "genoflow@localhost", pattern=r"^[^@\s]+@[^@\s]+$", description="as whom e-mails are sent"
    )
    webhook_hosts: tuple[str, ...] = Field(
        (), description="receivers of your own that may be inside the network, by their host names"
    )
    public_url: str = Field(
        "", description="https://… where people open GenoFlow; links in notifications begin with it"
    )
    lims: str | None = Field(
        None, pattern=r"^https?://[^\s@]+$", description="https://… of the lab's information system"
    )
    lims_token_file: Path | None = Field(
        None, description="a file that holds its token, which nobody else may read"
    )
    lims_mapping: Path | None = Field(
        None, description="a JSON document that says how it calls orders and results"
    )
    api_url: str | None = Field(
        None, pattern="^https?://", description="http(s)://… of the API that `upload` sends to"
    )
    api_key: SecretStr | None = Field(None, description="of that API: who sends")
    cors_origins: tuple[str, ...] = Field(
        (), description="https://… of the pages whose scripts may call the API from a browser"
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses of proxies before the API, believed when they say who calls"
    )
    metrics: str | None = Field(
        None, pattern=r"^(\[[0-9A-Fa-f:]+\]|[^:\s/]+):[0-9]{1,5}$",
        description="host:port where this process tells its figures and its health; port 0 is any",
    )  # fmt: skip
    metrics_log_seconds: float = Field(
        0.0, ge=0, le=3_600,
        description="between two tellings of figures on standard output, in CloudWatch's embedded "
        "format; 0 is never",
    )  # fmt: skip
    traces: str | None = Field(
        None, description="http(s)://host:port of a collector of OpenTelemetry, by OTLP over HTTP"
    )
    log_level: str = Field("info", description="debug, info, warning or error")
    person_patterns: tuple[str, ...] = Field(
        (r"(?i)\bMRN[-_ ]?\d{5,}\b", r"\b\d{3}-\d{2}-\d{4}\b"),
        description="regular expressions of identifiers of persons, kept out of ids and logs",
    )

    @field_validator("batch_queues")
    @classmethod
    def _every(cls, queues: dict[str, str]) -> dict[str, str]:
        if missing := {"high", "normal", "low"} - set(queues):
            raise ValueError(f"names no queue for {', '.join(sorted(missing))}")
        return queues

    @field_validator("traces")
    @classmethod
    def _collector(cls, address: str | None) -> str | None:
        parts = urlsplit(address or "http://none")
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError(
                f"{address!r} is no address of a collector; it is http(s)://host:port, as in "
                f"http://localhost:4318, and what it asks for stands in OTEL_EXPORTER_OTLP_HEADERS"
            )
        return address

    @field_validator("person_patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return patterns


def read_settings() -> Settings:
    """Read the environment once; the caller hands the result on."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"GENOFLOW_{str(fault['loc'][0]).upper()}: {fault['msg']}; mend it or unset it"
            for fault in error.errors(include_url=False)
        ]
        raise Refused("\n".join(faults)) from error


def batch_job_id() -> str:
    """By which id AWS Batch knows this process; Refused where it is no job of Batch."""
    name = os.environ.get("AWS_BATCH_JOB_ID", "")
    if not name:
        raise Refused("AWS_BATCH_JOB_ID is not set: AWS Batch starts this program, nobody else")
    return name


def inherited_environment() -> dict[str, str]:
    """Return a copy of this process's environment, to start another program with."""
    return dict(os.environ)


def as_environment(settings: Settings) -> dict[str, str]:
    """Return the variables from which another process reads the very same settings."""
    named: dict[str, str] = {}
    for name in ("home", "cache", *sorted(settings.model_fields_set - {"home", "cache"})):
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            text = json.dumps(value) if isinstance(value, tuple | dict) else str(value)
            named[f"GENOFLOW_{name.upper()}"] = text
    return named
