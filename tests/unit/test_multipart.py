"""Forms with a file: cut anywhere they give the same, and what is none is refused."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from genoflow.api.formats import HEAD_BYTES
from genoflow.api.multipart import FIELD_BYTES_MAX, PARTS_MAX, Form, boundary_of, read_form
from genoflow.api.refusal import Refusal

BOUNDARY = "----x7"
FILE = b"@r1\nACGT\n+\nIIII\n--" + b"\r\n------x" * 5 + b"\r\n"


def part(name: str, body: bytes, filename: str | None = None) -> bytes:
    """One part of a form."""
    said = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: text/plain'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{said}\r\n\r\n'
    return head.encode() + body + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
WHOLE = (
    part("sample_id", b"S7") + part("file", FILE, "S7 \u00e4.fastq") + part("metadata", b"") + END
)


async def read(body: bytes, size: int = 7) -> Form:
    """The form in this body, in pieces of this size."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return await read_form(pieces(), BOUNDARY.encode())


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 64, 10_000])
async def test_a_form_is_the_same_wherever_it_is_cut(size: int) -> None:
    form = await read(b"preamble\r\n" + WHOLE + b"epilogue", size)
    assert form.fields == {"sample_id": "S7", "metadata": ""}
    file = form.files["file"]
    assert (file.filename, file.body.read(), file.size_bytes) == ("S7 ä.fastq", FILE, len(FILE))
    assert file.sha256 == hashlib.sha256(FILE).hexdigest()
    assert file.md5 == hashlib.md5(FILE).hexdigest()
    assert file.head == FILE
    form.close()
    assert file.body.closed


async def test_of_a_long_file_the_head_alone_is_kept_in_memory() -> None:
    body = bytes(range(256)) * 2_000
    form = await read(part("file", body, "x.bam") + END, 65_536)
    assert len(form.files["file"].head) == HEAD_BYTES
    assert form.files["file"].body.read() == body
    form.close()


WRONG = {
    "cut": WHOLE[:-20], "no end": part("a", b"1"), "empty": b"", "no mark": b"x" * 100,
    "twice": part("a", b"1") + part("a", b"2") + END,
    "no name": f"--{BOUNDARY}\r\nX: y\r\n\r\n1\r\n".encode() + END,
    "long head": f"--{BOUNDARY}\r\n{'X' * 10_000}".encode(),
    "long field": part("a", b"x" * (FIELD_BYTES_MAX + 1)) + END,
    "no UTF-8": part("a", b"\xff") + END, "U+0000": part("a", b"\x00") + END,
    "many": b"".join(part(f"a{n}", b"1") for n in range(PARTS_MAX + 1)) + END,
    "behind the mark": f"--{BOUNDARY}x\r\n\r\n".encode() + END,
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_no_form_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        await read(WRONG[name], 1_000)
    assert refusal.value.status_code == 400


def test_a_boundary_is_told() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
    for wrong in ("", "text/plain", "multipart/form-data", "multipart/form-data; boundary=\xe4",
                  f"multipart/form-data; boundary={'x' * 71}"):  # fmt: skip
        with pytest.raises(Refusal):
            boundary_of(wrong)
