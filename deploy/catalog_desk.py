"""Documents as the API publishes them: by the command line's own rules, and without its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from genoflow.api.desks import AppendTogether, Published, Says
from genoflow.deploy.catalog import AnyDocument, LogCatalog, kind_of
from genoflow.deploy.catalog_documents import content_sha256, parse_documents
from genoflow.deploy.catalog_files import owners
from genoflow.deploy.pipeline_documents import config_id, said_in
from genoflow.deploy.pipeline_life import with_release
from genoflow.events.errors import Contradicted, Refused
from genoflow.events.log.port import EventLog
from genoflow.processors.intake.privacy import PrivacyGuard


class LogDocuments:
    """Catalog over the log."""

    def __init__(self, log: EventLog, person_patterns: Sequence[str]) -> None:
        self._catalog = LogCatalog(log)
        self._guard = PrivacyGuard(person_patterns)

    async def publish(
        self, documents: Sequence[Any], says: Says, append: AppendTogether
    ) -> Sequence[Published]:
        """Publish all that is new of these, or nothing; Refused names every fault."""
        _refuse_local(documents)
        before = await self._catalog.documents()
        active = await self._catalog.active()
        new = parse_documents([("body", json.dumps(documents))], before, self._guard, active)
        await append([says(one) for one in with_release(new)])
        # Two may publish one version at once: the log orders them, and readers keep the first.
        known = {_name(one): one for one in (*new, *await self._catalog.documents())}
        lost = [one for one in new if said_in(known[_name(one)]) != said_in(one)]
        if lost:
            names = ", ".join(f"{one.document_id} {one.version}" for one in lost)
            raise Contradicted(
                f"{names}: somebody has just published this version with another content; a "
                f"version never changes, so give it a new one"
            )
        fresh = {_name(one) for one in new}
        return [_published(known[name], name in fresh) for name in map(_asked, documents)]


def _asked(document: Any) -> tuple[str, str]:
    named = document.get("document_id") or config_id(document["pipeline"], document["title"])
    return str(named), str(document["version"])


def _name(document: AnyDocument) -> tuple[str, str]:
    return document.document_id, document.version


def _published(document: AnyDocument, is_new: bool) -> Published:
    kind, sha256 = kind_of(document), content_sha256(document)
    return Published(kind, document.document_id, document.version, sha256, is_new)


def _refuse_local(documents: Sequence[Any]) -> None:
    for owner in owners(documents):
        if urlsplit(owner["uri"]).scheme in ("", "file"):
            raise Refused(
                f"{owner['uri']}: names a file of a machine, and the API reads none; put it into "
                f"the object store and name it as s3://…, or use `genoflow catalog publish`"
            )
