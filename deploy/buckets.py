"""What each class of bucket is wanted to be, as one table; nothing here asks a store.

A bucket's own lifecycle sees an object's age and its place and nothing else: no run, no assay, no
legal hold. So it only moves objects to other storage and frees parts; what is deleted, and when,
the rules of retention say, and the sweeper does it on every store alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genoflow.deploy.settings import Settings

Document = Mapping[str, Any]
RAW, WORK, REFERENCES, RESULTS, DELIVERY = "raw", "work", "references", "results", "delivery"
CLASSES = (RAW, WORK, REFERENCES, RESULTS, DELIVERY)

VERSIONING, LOCK, LIFECYCLE = "versioning", "object lock", "lifecycle"
ENCRYPTION, CORS, POLICY, PUBLIC = "encryption", "cors", "policy", "public access"

GLACIER_DAYS = 30  # raw files are read within days of their landing; later ones ask for a restore
PARTS_DAYS = 7  # an upload is given up after a day; this frees what nobody knows of
BROWSERS_ASK_AGAIN_SECONDS = 600  # whether they may send: as the API itself says it
# As the vault of backups has it: compliance mode would bind even the owner of the account, for
# years, after one wrong number.
LOCK_MODE = "GOVERNANCE"
OURS = "genoflow-"  # rules of this name are ours, and others stay as they are
SID = "GenoflowNobodyBypassesTheLock"
# What a store answers to who asks it for something that it does not have.
NOT_HERE: Mapping[str, str] = {
    LIFECYCLE: "not here: this store has one storage class; what is deleted, our sweeper does",
    ENCRYPTION: "not here: this store does not encrypt; encrypt the disks below it",
    PUBLIC: "not here: this store shows nothing to the public unless a policy says so",
    LOCK: "not here: this store has no object lock, and anybody with its keys can delete",
    VERSIONING: "not here: this store keeps no versions",
    CORS: "not here: this store lets no browser send to it",
    POLICY: "not here: this store has no policies",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One bucket: its class, its name, and what each of its aspects is wanted to be."""

    bucket_class: str
    bucket: str
    documents: Mapping[str, Document]

    @property
    def key(self) -> str:
        """The KMS key that encrypts it."""
        rule = self.documents[ENCRYPTION]["Rules"][0]
        return str(rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"])


def wanted(settings: Settings) -> tuple[Wanted, ...]:
    """What every bucket of this deployment is wanted to be."""
    keys = settings.bucket_encryption
    named = {
        RAW: (
            settings.raw_bucket,
            _versions() | _lock(settings.raw_lock_days) | _policy(settings.raw_bucket)
            | _lifecycle(_moved("GLACIER", GLACIER_DAYS)) | _cors(settings.cors_origins),
        ),
        WORK: (settings.work_bucket, _lifecycle()),
        REFERENCES: (
            settings.references_bucket,
            _versions() | _lifecycle(_moved("INTELLIGENT_TIERING", 0)),
        ),
        RESULTS: (settings.results_bucket, _versions() | _lifecycle()),
        DELIVERY: (settings.delivery_bucket, _lifecycle()),
    }  # fmt: skip
    return tuple(
        Wanted(name, bucket, documents | _private() | _encrypted(keys.get(name, _alias(name))))
        for name, (bucket, documents) in named.items()
    )


def _alias(name: str) -> str:
    return f"alias/genoflow-{name}"


def _versions() -> dict[str, Document]:
    return {VERSIONING: {"Status": "Enabled"}}


def _lock(days: int) -> dict[str, Document]:
    rule = {"DefaultRetention": {"Mode": LOCK_MODE, "Days": days}}
    return {LOCK: {"ObjectLockEnabled": "Enabled", "Rule": rule}}


def _policy(bucket: str) -> dict[str, Document]:
    statement = {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:BypassGovernanceRetention",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    return {POLICY: {"Version": "2012-10-17", "Statement": [statement]}}


def _moved(storage: str, days: int) -> Document:
    return {
        "ID": f"{OURS}{storage.lower().replace('_', '-')}",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Transitions": [{"Days": days, "StorageClass": storage}],
    }


def _lifecycle(*rules: Document) -> dict[str, Document]:
    parts = {
        "ID": f"{OURS}parts",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": PARTS_DAYS},
    }
    return {LIFECYCLE: {"Rules": [*rules, parts]}}


def _private() -> dict[str, Document]:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {PUBLIC: dict.fromkeys(names, True)}


def _encrypted(key: str) -> dict[str, Document]:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    return {ENCRYPTION: {"Rules": [rule]}}


def _cors(origins: Sequence[str]) -> dict[str, Document]:
    return {CORS: {"CORSRules": [browsers_rule(origins)]}} if origins else {}


def browsers_rule(origins: Sequence[str]) -> Document:
    """Scripts of these pages may send parts straight to a bucket, by links that we signed."""
    return {
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256", "x-amz-checksum-crc64nvme"],
        "MaxAgeSeconds": BROWSERS_ASK_AGAIN_SECONDS,
    }


# -- what is, held against what is wanted

LISTS: Mapping[str, tuple[str, str]] = {
    LIFECYCLE: ("Rules", "ID"),
    POLICY: ("Statement", "Sid"),
}  # of these a part is ours, by this name, and the rest is the owner's


def stands(aspect: str, want: Document, found: Document | None) -> bool:
    """Whether the store has what is wanted; more than that may be there."""
    if found is None:
        return False
    if aspect not in LISTS:
        return holds(want, found)
    field, name = LISTS[aspect]
    there = {one.get(name): one for one in found.get(field, ())}
    return all(holds(one, there.get(one[name])) for one in want[field])


def merged(aspect: str, want: Document, found: Document | None) -> Document:
    """What to give the store: ours in its newest form, and what others put there as it is."""
    if aspect not in LISTS or found is None:
        return want
    field, name = LISTS[aspect]
    ours = {one[name] for one in want[field]}
    others = [one for one in found.get(field, ()) if one.get(name) not in ours]
    return {**want, field: [*others, *want[field]]}


def holds(want: Any, found: Any) -> bool:
    """Whether what is found has all that is wanted; more than that may be there."""
    if isinstance(want, Mapping):
        return isinstance(found, Mapping) and all(
            holds(value, found.get(name)) for name, value in want.items()
        )
    if isinstance(want, list):
        return isinstance(found, list) and len(want) == len(found) and all(map(holds, want, found))
    return bool(want == found)
