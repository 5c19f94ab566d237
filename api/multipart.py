"""Forms with a file (RFC 7578), read as they come: a file goes to the disk, never into memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import Message
from tempfile import TemporaryFile
from typing import IO

from genoflow.api.formats import HEAD_BYTES
from genoflow.api.refusal import Refusal

HEAD_OF_PART_MAX = 8_192  # two or three lines
FIELD_BYTES_MAX = 65_536  # metadata has a kilobyte
PARTS_MAX = 32
_BOUNDARY = re.compile(r"""[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]""")
END = b"\r\n\r\n"


@dataclass(slots=True)
class FormFile:
    """A file of a form, on the disk, and what was found while it came."""

    filename: str
    body: IO[bytes]
    size_bytes: int = 0
    head: bytes = b""
    _md5: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _sha256: hashlib._Hash = field(default_factory=hashlib.sha256)

    def take(self, piece: bytes) -> None:
        """Keep some more of it."""
        self.body.write(piece)
        self.size_bytes += len(piece)
        self._md5.update(piece)
        self._sha256.update(piece)
        if len(self.head) < HEAD_BYTES:
            self.head += piece[: HEAD_BYTES - len(self.head)]

    @property
    def md5(self) -> str:
        """Of what has come."""
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        """Of what has come."""
        return self._sha256.hexdigest()


@dataclass(slots=True)
class Form:
    """The fields of a form by their names, and its files by theirs; close it when it is read."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, FormFile] = field(default_factory=dict)

    def close(self) -> None:
        """Let the files go from the disk."""
        for one in self.files.values():
            one.body.close()


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts; a Refusal where this is no form with files."""
    told = Message()
    told["content-type"] = content_type
    found = told.get_param("boundary")
    is_form = told.get_content_type() == "multipart/form-data"
    if not is_form or not isinstance(found, str) or not _BOUNDARY.fullmatch(found):
        raise Refusal(
            422, "body: is no multipart/form-data with a boundary; send the file as a form does",
            details={"field": "body", "rejected_value": None},
        )  # fmt: skip
    return found.encode()


async def read_form(pieces: AsyncIterator[bytes], boundary: bytes) -> Form:
    """The form in these pieces; a Refusal of 400 where it is none."""
    reader = _Reader(boundary)
    try:
        async for piece in pieces:
            reader.feed(piece)
        return reader.whole()
    except BaseException:
        reader.form.close()
        raise


class _Reader:
    """Takes a form piece by piece."""

    def __init__(self, boundary: bytes) -> None:
        self.form = Form()
        self._mark = b"\r\n--" + boundary
        self._buffer = b"\r\n"  # as if a line had ended before the first mark
        self._part: FormFile | bytearray | None = None  # none: what stands before the first part
        self._name = ""
        self._count = 0
        self._step = self._in_part

    def feed(self, piece: bytes) -> None:
        """Take some more bytes."""
        self._buffer += piece
        while self._step():
            pass

    def whole(self) -> Form:
        """The form, where its end has come."""
        if self._step != self._behind:
            raise _bad("ends before its last boundary; send it again, whole")
        for one in self.form.files.values():
            one.body.seek(0)
        return self.form

    def _in_part(self) -> bool:
        at = self._buffer.find(self._mark)
        if at < 0:
            # The mark may be here in part.
            cut = max(0, len(self._buffer) - len(self._mark) + 1)
            self._take(self._buffer[:cut])
            self._buffer = self._buffer[cut:]
            return False
        self._take(self._buffer[:at])
        self._close()
        self._buffer = self._buffer[at + len(self._mark) :]
        self._step = self._at_mark
        return True

    def _at_mark(self) -> bool:
        if len(self._buffer) < 2:
            return False
        if self._buffer.startswith(b"--"):
            self._step = self._behind
            return True
        rest = self._buffer.lstrip(b" \t")
        if len(rest) < 2:
            return False
        if not rest.startswith(b"\r\n"):
            raise _bad("has something behind a boundary; see RFC 7578")
        self._buffer = rest
        self._step = self._in_head
        return True

    def _in_head(self) -> bool:
        at = self._buffer.find(END)
        if at < 0 or at > HEAD_OF_PART_MAX:
            if len(self._buffer) > HEAD_OF_PART_MAX:
                raise _bad(f"has a part whose head is longer than {HEAD_OF_PART_MAX:,} bytes")
            return False
        head, self._buffer = self._buffer[:at], self._buffer[at + len(END) :]
        self._open(head)
        self._step = self._in_part
        return True

    def _behind(self) -> bool:
        self._buffer = b""  # what stands behind the last boundary says nothing
        return False

    def _open(self, head: bytes) -> None:
        self._count += 1
        if self._count > PARTS_MAX:
            raise _bad(f"has more than {PARTS_MAX} parts")
        told = Message()
        for line in head.decode("utf-8", "replace").split("\r\n"):
            field_name, colon, value = line.partition(":")
            if colon and field_name.strip().lower() == "content-disposition":
                told["content-disposition"] = re.sub(r"[\r\n]", " ", value.strip())
        given = told.get_param("name", header="content-disposition")
        if not isinstance(given, str) or not given:
            raise _bad("has a part without a name")
        name = given
        if name in self.form.fields or name in self.form.files:
            raise _bad(f"says {name[:100]!r} twice; say it once")
        filename = told.get_filename()
        self._name = name
        if filename is None:
            self._part = bytearray()
        else:
            self._part = self.form.files[name] = FormFile(filename, TemporaryFile())  # noqa: SIM115

    def _take(self, piece: bytes) -> None:
        if isinstance(self._part, FormFile):
            self._part.take(piece)
        elif self._part is not None:
            self._part += piece
            if len(self._part) > FIELD_BYTES_MAX:
                raise _bad(
                    f"has a field {self._name[:100]!r} of more than {FIELD_BYTES_MAX:,} bytes"
                )

    def _close(self) -> None:
        if isinstance(self._part, bytearray):
            try:
                text = self._part.decode()
            except UnicodeDecodeError as error:
                raise _bad(f"has a field {self._name[:100]!r} that is no UTF-8") from error
            if "\x00" in text:
                raise _bad(f"has a field {self._name[:100]!r} with U+0000; leave it out")
            self.form.fields[self._name] = text
        self._part = None


def _bad(said: str) -> Refusal:
    return Refusal(400, f"body: the form {said}", details={"field": "body", "rejected_value": None})
