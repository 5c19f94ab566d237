from collections.abc import Sequence
from typing import Any

from genoflow.native.program import Node
from genoflow.native.twin import RawColumns, RawRows

class Program:
    def __new__(cls, root: Node, columns: int, copies: Sequence[str]) -> Program: ...
    def write(self, prefix: bytes, envelope: Any, event: Any) -> bytes: ...

class Models:
    def __new__(cls, root: Node, make: Any, tools: Any) -> Models: ...
    def read(self, data: bytes, at: int) -> tuple[Any, int]: ...

class AlignmentScan:
    def __new__(
        cls,
        names: Sequence[bytes],
        lengths: Sequence[int],
        circular: Sequence[int],
        groups: Sequence[bytes],
        programs: Sequence[bytes],
        declared: tuple[bool, int, int],
    ) -> AlignmentScan: ...
    def next(self, ref: int, pos: int, name: bytes, flag: int) -> int: ...
    def text(self, data: bytes, at: int) -> tuple[int, int]: ...
    def binary(self, data: bytes, at: int) -> tuple[int, int]: ...
    def tolerate(self, notes: int) -> None: ...
    def counts(self) -> tuple[list[int], list[list[int]], list[int], list[int]]: ...

def read_columns(
    values: Sequence[bytes], programs: Sequence[tuple[int, Program]]
) -> RawColumns: ...
def copy_rows(
    values: Sequence[bytes],
    programs: Sequence[tuple[int, Program]],
    fields: int,
    heads: Sequence[bytes],
) -> RawRows: ...
def count_lines(text: bytes) -> int: ...

class VcfLines:
    def __new__(cls, minor: int, samples: int, columns: int) -> VcfLines: ...
    def configure(
        self,
        infos: Sequence[tuple[bytes, int, int, bool]],
        formats: Sequence[tuple[bytes, int, int, bool]],
        filters: Sequence[bytes],
        symbols: Sequence[bytes],
        contigs: Sequence[tuple[bytes, int]],
        is_any_contig: bool,
    ) -> None: ...
    def look(
        self, text: bytes
    ) -> tuple[
        list[tuple[int, int, int, int, int, int, int]],
        int,
        int,
        int,
        int,
        int,
        int,
        list[int],
        list[int],
    ]: ...

class Inflate:
    checksum: int
    size: int
    def __new__(cls) -> Inflate: ...
    def feed(
        self, data: bytes, at: int, stored_bytes: int, text_bytes: int
    ) -> tuple[bytes, int, int, bool]: ...

def inflate_blocks(data: bytes, at: int, text_bytes: int) -> tuple[bytes, int, int, int]: ...

class ReadCounts:
    def __new__(
        cls, numbers: Sequence[int], adapters: Sequence[bytes], every: bool
    ) -> ReadCounts: ...
    def know(self, prefix: bytes) -> None: ...
    def scan(self, text: bytes, at: int) -> tuple[int, int]: ...
    def add(self, title: bytes, bases: bytes, qualities: bytes) -> None: ...
    def names(self) -> bytes: ...
    def raw(self) -> dict[str, Any]: ...
