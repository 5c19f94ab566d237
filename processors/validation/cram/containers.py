"""Containers: their headers, and the one that ends a file."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from genoflow.processors.validation.cram.cursor import Cursor
from genoflow.processors.validation.cram.rules import CONTAINER_CRC, COUNTS, TOO_LARGE
from genoflow.processors.validation.findings import Broken, Where

EOF_POSITION = 0x454F46  # "EOF" as the position on a reference
EOF_3 = bytes.fromhex(
    "0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"
)
# Of an integer of five bytes the last one holds four bits: programs write ff there, or 0f.
EOF_2 = bytes.fromhex("0b000000ffffffffffe0454f4600000000010000010006060100010001 00")
EOF_2_OTHER = EOF_2.replace(b"\xff\xff\xff\xff\xff", b"\xff\xff\xff\xff\x0f")
EOFS = {2: (EOF_2, EOF_2_OTHER), 3: (EOF_3,)}
EOF_BYTES_MAX = 64  # of a container that calls itself the end
# In one container: programs write one slice of some hundred blocks, and a number of each is held.
SLICES_MAX, BLOCKS_MAX = 100_000, 500_000
BLOCK_BYTES_MIN = 5  # method, type and three numbers


@dataclass(frozen=True, slots=True)
class Container:
    """What the header of a container says."""

    at: int
    length: int
    reference: int
    start: int
    span: int
    records: int
    counter: int
    bases: int
    blocks: int
    landmarks: tuple[int, ...]
    stored: bytes  # the header itself

    @property
    def where(self) -> Where:
        """Its place in the file."""
        return Where(byte=self.at)

    @property
    def is_end(self) -> bool:
        """Whether it is meant to end the file."""
        return self.start == EOF_POSITION and self.reference == -1 and self.records == 0


def read_container(cursor: Cursor, version: tuple[int, int]) -> Container:
    """The header that comes next; Broken where its checksum or its numbers are none."""
    at, cursor.crc = cursor.at, 0
    stored = bytearray()
    cursor.copy = stored.extend
    (length,) = struct.unpack("<i", cursor.take(4))
    reference, start, span, records = (cursor.number() for _ in range(4))
    counter = cursor.long_number() if version >= (3, 0) else cursor.number()
    bases, blocks, slices = cursor.long_number(), cursor.number(), cursor.number()
    where = Where(byte=at)
    _check_numbers(length, records, blocks, slices, where)
    landmarks = tuple(cursor.number() for _ in range(slices))
    if version >= (3, 0):
        found = cursor.crc
        (declared,) = struct.unpack("<I", cursor.take(4))
        if declared != found:
            raise Broken(CONTAINER_CRC, "its container contradicts its checksum", where)
    numbers = (length, reference, start, span, records, counter, bases, blocks)
    if min(counter, bases) < 0 or reference < -2:
        raise Broken(COUNTS, f"its container says {numbers}", where)
    cursor.copy = None
    return Container(at, *numbers, landmarks, bytes(stored))


def _check_numbers(length: int, records: int, blocks: int, slices: int, where: Where) -> None:
    """Broken where they cannot be; of a damaged header that says less than its checksum."""
    counts = f"{length} bytes, {records} records, {blocks} blocks and {slices} landmarks"
    if min(length, records, blocks, slices) < 0 or blocks * BLOCK_BYTES_MIN > length:
        raise Broken(COUNTS, f"its container says {counts}", where)
    if slices > SLICES_MAX or blocks > BLOCKS_MAX:
        raise Broken(TOO_LARGE, f"its container says {counts}", where)
