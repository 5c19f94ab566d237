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

def read_columns(
    values: Sequence[bytes], programs: Sequence[tuple[int, Program]]
) -> RawColumns: ...
def copy_rows(
    values: Sequence[bytes],
    programs: Sequence[tuple[int, Program]],
    fields: int,
    heads: Sequence[bytes],
) -> RawRows: ...
