"""What an answer of S3 means: one table for what passes, what waits for a person, what ends us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto

from genoflow.events.errors import GenoflowError, Parked, Retry, Stop
from genoflow.processors.ports import ObjectArchived, ObjectGone

# The request did not reach the store, or its answer did not reach us.
BROKEN = (
    boto.ConnectionError,  # none came about: nobody there, a time-out, a proxy, a certificate
    boto.HTTPClientError,  # it was closed, or the answer took too long
    boto.IncompleteReadError,
    boto.ResponseStreamingError,  # the connection broke while the answer was read
    boto.FlexibleChecksumError,  # what came is not what was sent
)
LATER = "the store answers no requests now; see that it runs"
WHO = "see the access key and the secret key in the settings"

# By the store's code, then by the status of the answer. What stands nowhere is parked.
BY_CODE: dict[str, tuple[type[GenoflowError], str]] = {
    "SlowDown": (Retry, "the store asks for fewer requests"),
    "ThrottlingException": (Retry, "the store asks for fewer requests"),
    "TooManyRequestsException": (Retry, "the service asks for fewer requests"),
    "RequestLimitExceeded": (Retry, "the store asks for fewer requests"),
    "RequestTimeout": (Retry, "the request came too slowly"),
    "OperationAborted": (Retry, "another operation on it is under way"),
    "ConditionalRequestConflict": (Retry, "another write of it is under way"),
    "NoSuchBucket": (Parked, "there is no such bucket; make it, or name another in the settings"),
    "NoSuchKey": (ObjectGone, "there is no such object; put it there again"),
    "NoSuchVersion": (ObjectGone, "there is no such version; put it there again"),
    "MethodNotAllowed": (
        ObjectGone,
        "this version is a mark of deletion; put the object there again",
    ),
    "PreconditionFailed": (ObjectGone, "another object has taken its place"),
    "InvalidObjectState": (ObjectArchived, "it is archived; restore it first"),
    "AccessDenied": (Parked, "these keys may not do this; allow it"),
    "InvalidAccessKeyId": (Stop, WHO),
    "SignatureDoesNotMatch": (Stop, WHO),
    "ExpiredToken": (Stop, WHO),
    "InvalidToken": (Stop, WHO),
    "RequestTimeTooSkewed": (Stop, "this machine's clock is wrong; set it"),
}
BY_STATUS: dict[int, tuple[type[GenoflowError], str]] = {
    403: BY_CODE["AccessDenied"],
    404: BY_CODE["NoSuchKey"],
    405: BY_CODE["MethodNotAllowed"],
    412: BY_CODE["PreconditionFailed"],
    429: BY_CODE["SlowDown"],
    500: (Retry, LATER),
    502: (Retry, LATER),
    503: (Retry, LATER),
    504: (Retry, LATER),
}


def code_and_status(error: boto.ClientError) -> tuple[str, int]:
    """The store's own code, and the HTTP status that it came with."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code, int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def meaning(error: Exception, place: str) -> GenoflowError:
    """The closed choice for what boto3 raised at this place."""
    if isinstance(error, boto.ClientError):
        code, status = code_and_status(error)
        found = BY_CODE.get(code) or BY_STATUS.get(status)
        choice, way_out = found or (Parked, "mend the request, then requeue it")
        said = error.response.get("Error", {}).get("Message", "")
        return choice(f"{place}: {code} ({status}) {said}; {way_out}")
    if isinstance(error, BROKEN):
        return Retry(f"{place}: {type(error).__name__}: {error}; {LATER}")
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return Stop(f"{place}: {error}; {WHO}")
    return Parked(f"{place}: {type(error).__name__}: {error}; mend the request, then requeue it")


@contextmanager
def at(bucket: str, key: str, version_id: str = "") -> Iterator[None]:
    """Turn what boto3 raises within into the closed choice, with the place in its message."""
    try:
        yield
    except (boto.BotoCoreError, boto.ClientError) as error:
        version = f"@{version_id}" if version_id else ""
        raise meaning(error, f"s3://{bucket}/{key}{version}") from error
