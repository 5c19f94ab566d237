"""Files of documents that stand on this machine: checked, then put where every worker finds them.

A run fetches what it needs from the object store alone. So a document that names a file here is
published with the address under which the store then has it, which is made of its checksum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from genoflow.deploy.catalog import AnyDocument
from genoflow.events.errors import Refused
from genoflow.processors.adapters.s3_files import S3Uploads
from genoflow.processors.alignments import PANEL
from genoflow.processors.contamination import read_sites
from genoflow.processors.intake.landing import SHA256

PREFIX = "catalog"
KINDS = ("reference", "target-set")  # the code of a pipeline is found by each worker itself


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that a document names, and the address that it gets in the store."""

    path: Path
    sha256: str
    bucket: str

    @property
    def key(self) -> str:
        """Of its checksum: the same file is one object, whoever publishes it."""
        return f"{PREFIX}/{self.sha256}/{self.path.name}"

    @property
    def uri(self) -> str:
        """The address that is published."""
        return f"s3://{self.bucket}/{quote(self.key)}"


def with_store_addresses(
    texts: Sequence[tuple[str, str]], bucket: str
) -> tuple[list[tuple[str, str]], list[LocalFile]]:
    """The texts with store addresses for local files; Refused names every file that is wrong."""
    faults: list[str] = []
    found: list[LocalFile] = []
    rewritten: list[tuple[str, str]] = []
    for name, text in texts:
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            rewritten.append((name, text))  # whoever reads the documents says so
            continue
        folder = Path(name).parent if Path(name).is_file() else Path()
        local = [_local(owner, folder, bucket, faults) for owner in owners(value)]
        found += [one for one in local if one is not None]
        rewritten.append((name, json.dumps(value)) if any(local) else (name, text))
    if faults:
        raise Refused("\n".join([*faults, "nothing was published; mend these and try again"]))
    return rewritten, found


def owners(value: Any) -> Iterator[dict[str, Any]]:
    """Each part of the documents that has an address and a checksum."""
    for document in value if isinstance(value, list) else [value]:
        if not isinstance(document, dict) or document.get("kind") not in KINDS:
            continue
        files = document.get("files")
        for one in (document, *(files if isinstance(files, list) else ())):
            if isinstance(one, dict) and isinstance(one.get("uri"), str):
                yield one


def _local(owner: dict[str, Any], folder: Path, bucket: str, faults: list[str]) -> LocalFile | None:
    """The file of this part, whose address is changed; None where the store has it already."""
    parts = urlsplit(owner["uri"])
    if parts.scheme not in ("", "file"):
        return None
    path = folder / unquote(parts.path)
    if parts.netloc:
        faults.append(f"{owner['uri']}: names a file of the machine {parts.netloc}; copy it here")
        return None
    fault = _fault(owner, path)
    if fault:
        faults.append(f"{path}: {fault}")
        return None
    file = LocalFile(path, owner["sha256"], bucket)
    owner["uri"] = file.uri
    return file


def _fault(owner: dict[str, Any], path: Path) -> str | None:
    if not path.is_file():
        return "there is no such file; paths count from the folder of the document"
    size, said = path.stat().st_size, owner.get("size_bytes")
    if said is not None and said != size:
        return f"has {size:,} bytes, and the document says {said}; say what is true"
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if owner.get("sha256") != sha256:
        return f"has SHA-256 {sha256}, and the document says {owner.get('sha256')}"
    if owner.get("kind") == PANEL:
        try:
            read_sites(path)
        except Refused as error:
            return str(error).removeprefix(f"{path}: ")
    return None


def put_files(client: Any, files: Iterable[LocalFile], documents: Iterable[AnyDocument]) -> None:
    """Put the files that these documents name into the store, each once."""
    named = json.dumps([document.payload() for document in documents])
    for file in {one.key: one for one in files if json.dumps(one.uri) in named}.values():
        S3Uploads(client).upload(file.path, file.bucket, file.key, {SHA256: file.sha256})
