"""The registry that other systems ask: Confluent's Schema Registry API over the released schemas.

It only reads. Its content is static, so every document is rendered once, when the app is made, and
an id means the same text for ever. Subjects are record names (RecordNameStrategy) and versions
count the minors within a major: `genoflow.v1.FileLanded`, version 1, is file_landed.v1.0.avsc.
`python -m genoflow.api.registry --port 8081` serves it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fastavro
import uvicorn
from fastavro.schema import SchemaParseException
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genoflow.events.registry import Edition, read_editions
from genoflow.events.schema_rules import incompatibilities

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
COMPATIBILITY = "FULL_TRANSITIVE"
MODE = "READONLY"
VERSION_MAX = 2**31 - 1  # Confluent counts in Java's int
REQUEST_BYTES_MAX = 1_048_576  # 1 MiB: the largest schema of ours is below 50 kB
NESTING_MAX = 64  # ours is 11 deep; readers of a schema recurse, and Python ends at 1,000 calls
IMMUTABLE = "public, max-age=31536000, immutable"  # a year: the longest that caches honour
SHUTDOWN_SECONDS_MAX = 5  # an answer takes milliseconds; a client that hangs is not waited for
READ_ONLY = (
    "this registry is read-only; a schema enters it with a release: "
    "`genoflow schemas export`, then deploy"
)

# What parsing raises on a text that is no Avro schema; anything else is a defect.
_UNREADABLE = (SchemaParseException, ValueError, KeyError, TypeError)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NOT_BRACKETS = re.compile(r"[^][{}]+")


class Refusal(HTTPException):
    """An answer that says no, with Confluent's own error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code if code < 1000 else code // 100, message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Page:
    """A document that is rendered once and given out many times."""

    body: bytes
    etag: str
    cache: str

    def answer(self, request: Request) -> Response:
        """The document, or the news that the client has it already."""
        headers = {"ETag": self.etag, "Cache-Control": self.cache}
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(self.body, 200, headers, MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One edition as a registry sees it: its place, its normal form and its documents."""

    edition: Edition
    version: int
    normal: str
    pages: dict[str, Page]


def normal_form(text: str) -> str:
    """Return one spelling for all texts that say the same schema, documentation included."""
    _check_nesting(42201, "the schema", text)
    try:
        return json.dumps(_plain(fastavro.parse_schema(json.loads(text))), sort_keys=True)
    except _UNREADABLE as error:
        raise Refusal(42201, f"the schema is no Avro schema: {error}; mend it") from error


def _check_nesting(code: int, what: str, text: str) -> None:
    depth = 0
    for bracket in _NOT_BRACKETS.sub("", _QUOTED.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > NESTING_MAX:
            raise Refusal(code, f"{what} nests deeper than {NESTING_MAX}; flatten it")


def _plain(part: Any) -> Any:
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _plain(value) for name, value in part.items() if not name.startswith("__fast")}
    return kept["type"] if kept.keys() == {"type"} else kept  # {"type": "int"} says "int"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _page(body: bytes, cache: str) -> Page:
    return Page(body, f'"{hashlib.sha256(body).hexdigest()}"', cache)


def _entry(edition: Edition, version: int) -> Entry:
    place = {"subject": edition.subject, "version": version}
    schema = {"schemaType": "AVRO", "schema": edition.text}
    text = edition.text.encode()
    pages = {
        "entity": _page(_json({**place, "id": edition.id, **schema}), "no-cache"),
        "entity schema": _page(text, "no-cache"),
        "id": _page(_json(schema), IMMUTABLE),
        "id schema": _page(text, IMMUTABLE),
        "id versions": _page(_json([place]), IMMUTABLE),
        "id subjects": _page(_json([edition.subject]), IMMUTABLE),
    }
    return Entry(edition, version, normal_form(edition.text), pages)


def _listed(items: Sequence[object], request: Request) -> Response:
    offset, limit = (_whole(request, name, given) for name, given in (("offset", 0), ("limit", -1)))
    start = max(offset, 0)
    return _answer(items[start : start + limit if limit >= 0 else None])


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if re.fullmatch(r"-?[0-9]{1,10}", text) is None:
        raise Refusal(400, f"{name}={text}: is no whole number; give one, or leave it out")
    return int(text)


def _wanted(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def _answer(value: object, status: int = 200) -> Response:
    return Response(_json(value), status, {"Cache-Control": "no-cache"}, MEDIA_TYPE)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = error.code if isinstance(error, Refusal) else error.status_code
    message = error.detail
    if error.status_code == 405:
        message = f"{request.method} {request.url.path}: {READ_ONLY}"
    response = _answer({"error_code": code, "message": message}, error.status_code)
    response.headers.update(error.headers or {})
    return response


class Endpoint:
    """The routes: each finds an entry and gives out one of its documents."""

    def __init__(self, editions: Sequence[Edition]) -> None:
        self._subjects: dict[str, list[Entry]] = {}
        for edition in sorted(editions, key=lambda each: (each.subject, each.minor)):
            entries = self._subjects.setdefault(edition.subject, [])
            entries.append(_entry(edition, len(entries) + 1))
        self._ids = {
            entry.edition.id: entry for entries in self._subjects.values() for entry in entries
        }

    async def root(self, _request: Request) -> Response:
        """Nothing, as Confluent answers: a place to ask whether somebody is there."""
        return _answer({})

    async def subjects(self, request: Request) -> Response:
        """The names of all subjects; none is ever deleted."""
        if _wanted(request, "deletedOnly"):
            return _answer([])
        prefix = request.query_params.get("subjectPrefix", "").removeprefix(":*:")
        return _listed([name for name in self._subjects if name.startswith(prefix)], request)

    async def versions(self, request: Request) -> Response:
        """The versions of one subject."""
        return _listed([entry.version for entry in self._subject(request)], request)

    async def entity(self, request: Request) -> Response:
        """One version of a subject, with its id and its text."""
        return self._version(request).pages["entity"].answer(request)

    async def entity_schema(self, request: Request) -> Response:
        """The text of one version, and nothing around it."""
        return self._version(request).pages["entity schema"].answer(request)

    async def by_id(self, request: Request) -> Response:
        """The document of an id: the schema, or what the last part of the path names."""
        text = request.path_params["id"]
        if re.fullmatch(r"-?[0-9]{1,10}", text) is None:
            raise Refusal(404, f"{request.url.path}: is no place here; ids are whole numbers")
        entry = self._ids.get(int(text))
        if entry is None:
            raise Refusal(
                40403, f"schema id {text} is not released here; deploy the release that wrote it"
            )
        last = request.url.path.rpartition("/")[2]
        return entry.pages["id" if last == text else f"id {last}"].answer(request)

    async def types(self, _request: Request) -> Response:
        """The one kind of schema that is kept here."""
        return _answer(["AVRO"])

    async def config(self, request: Request) -> Response:
        """The rule that every release keeps."""
        self._known(request, 40408)
        return _answer({"compatibilityLevel": COMPATIBILITY})

    async def mode(self, request: Request) -> Response:
        """Reading only, for all subjects."""
        self._known(request, 40409)
        return _answer({"mode": MODE})

    async def look_up(self, request: Request) -> Response:
        """The version of a subject that a given schema is."""
        entry, entries = await self._matching(request)
        if not entries:
            self._subject(request)
        if entry is None:
            subject = request.path_params["subject"]
            raise Refusal(
                40403,
                f"{subject}: the schema is none of its {len(entries)} versions; "
                f"take one of GET /subjects/{subject}/versions",
            )
        return entry.pages["entity"].answer(request)

    async def register(self, request: Request) -> Response:
        """The id of a schema that is released; any other is refused."""
        # Serialisers register before they write, unless they are told not to. For what is there,
        # Confluent's registry answers with the id even while it is read-only, and so does ours.
        entry, _ = await self._matching(request)
        return _answer({"id": entry.edition.id}) if entry else await self.write(request)

    async def compatibility(self, request: Request) -> Response:
        """Whether a schema could be the next minor beside one version, or beside all."""
        beside = [self._version(request)] if "version" in request.path_params else None
        asked = json.loads(normal_form(await _schema_text(request)))
        faults = [
            fault
            for entry in beside or self._subject(request)
            for fault in incompatibilities(json.loads(entry.normal), asked)
        ]
        reasons = {"messages": faults} if _wanted(request, "verbose") else {}
        return _answer({"is_compatible": not faults, **reasons})

    async def write(self, request: Request) -> Response:
        """A refusal that says how a schema gets here."""
        raise Refusal(42205, f"{request.method} {request.url.path}: {READ_ONLY}")

    def _subject(self, request: Request) -> list[Entry]:
        name = request.path_params["subject"]
        entries = self._subjects.get(name)
        if entries is None:
            raise Refusal(40401, f"subject {name} is not released here; GET /subjects lists them")
        return entries

    def _known(self, request: Request, code: int) -> None:
        name = request.path_params.get("subject")
        known = name is None or name in self._subjects
        if not known and not _wanted(request, "defaultToGlobal"):
            raise Refusal(code, f"subject {name} is not released here; GET /subjects lists them")

    def _version(self, request: Request) -> Entry:
        text = request.path_params["version"]
        latest = text.lower() == "latest" or text == "-1"
        digits = re.fullmatch(r"[0-9]{1,10}", text) is not None
        if not latest and not (digits and 1 <= int(text) <= VERSION_MAX):
            raise Refusal(42202, f"version {text}: is no version; give 1 or more, or `latest`")
        entries = self._subject(request)
        number = len(entries) if latest else int(text)
        if number > len(entries):
            raise Refusal(
                40402,
                f"{request.path_params['subject']}: version {number} is not released here "
                f"(the newest is {len(entries)}); deploy the release that has it",
            )
        return entries[number - 1]

    async def _matching(self, request: Request) -> tuple[Entry | None, list[Entry]]:
        asked = normal_form(await _schema_text(request))
        entries = self._subjects.get(request.path_params["subject"], [])
        return next((entry for entry in entries if entry.normal == asked), None), entries


async def _schema_text(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > REQUEST_BYTES_MAX:
            raise Refusal(42209, f"the request is longer than {REQUEST_BYTES_MAX:,} bytes; cut it")
    try:
        text = body.decode()
        _check_nesting(400, "the body", text)
        asked = json.loads(text)
    except ValueError as error:
        raise Refusal(400, f"the body is no JSON: {error}; send an object") from error
    if not isinstance(asked, dict):
        raise Refusal(400, 'the body is no JSON object; send {"schema": "…"}')
    schema = asked.get("schema")
    if not isinstance(schema, str) or asked.get("schemaType") not in (None, "AVRO"):
        raise Refusal(42201, 'only Avro is kept here; send {"schema": "…"} with the schema as text')
    return schema


def create_app(editions: Sequence[Edition]) -> Starlette:
    """Return the registry of these editions, which never change while it runs."""
    end = Endpoint(editions)
    subject, ids = "/subjects/{subject}", "/schemas/ids/{id}"
    version = f"{subject}/versions/{{version}}"
    configured = ("/config", "/config/{subject}", "/mode", "/mode/{subject}")
    return Starlette(
        routes=[
            Route("/", end.root),
            Route("/subjects", end.subjects),
            Route(subject, end.look_up, methods=["POST"]),
            Route(f"{subject}/versions", end.versions),
            Route(f"{subject}/versions", end.register, methods=["POST"]),
            Route(version, end.entity),
            Route(f"{version}/schema", end.entity_schema),
            *(Route(path, end.write, methods=["DELETE"]) for path in (subject, version)),
            *(
                Route(f"{ids}{last}", end.by_id)
                for last in ("", "/schema", "/versions", "/subjects")
            ),
            Route(f"/compatibility{subject}/versions", end.compatibility, methods=["POST"]),
            Route(f"/compatibility{version}", end.compatibility, methods=["POST"]),
            Route("/schemas/types", end.types),
            *(Route(path, end.config) for path in configured[:2]),
            *(Route(path, end.mode) for path in configured[2:]),
            *(Route(path, end.write, methods=["PUT", "DELETE"]) for path in configured),
        ],
        exception_handlers={HTTPException: _refused},
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # Connections inherit it. Without it each answer waits 40 ms for the acknowledgement of its
    # head, since asyncio does not set it on connections of a socket that it did not make.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the released schemas until a signal says stop, and return the exit code."""
    parser = argparse.ArgumentParser("registry", description="Serve the released schemas.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one and says which")
    given = parser.parse_args(arguments)
    try:
        listener = listen(given.host, given.port)
    except (OSError, OverflowError) as error:
        sys.stderr.write(
            f"registry at {given.host}:{given.port}: {error}; "
            f"stop what listens there, or give another --port\n"
        )
        return 1
    with listener:
        config = uvicorn.Config(
            create_app(read_editions()),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        )
        server = uvicorn.Server(config)

        def stop(*_: object) -> None:
            server.should_exit = True

        # uvicorn raises the signal again when it is done: these make that an exit with code 0.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        sys.stderr.write(f"registry at {given.host}:{listener.getsockname()[1]}: ready\n")
        server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
