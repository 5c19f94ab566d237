"""What a worker starts for its effects on bytes: `python -m genoflow.deploy.child MODULE:FLOW`."""

from __future__ import annotations

import sys

from genoflow.processors.child import serve
from genoflow.processors.ports import RangedStore, Scanner


def _store() -> RangedStore:
    from genoflow.deploy.settings import read_settings  # noqa: PLC0415 -- after the fork: see serve
    from genoflow.deploy.wiring import open_s3  # noqa: PLC0415 -- the same
    from genoflow.processors.adapters.s3 import S3ByteStore  # noqa: PLC0415 -- the same

    return S3ByteStore(open_s3(read_settings()))


def _is_strict() -> bool:
    from genoflow.deploy.settings import read_settings  # noqa: PLC0415 -- as above

    return read_settings().strict_validation


def _scanner() -> Scanner | None:
    from genoflow.deploy.scanning import open_scanner  # noqa: PLC0415 -- the same
    from genoflow.deploy.settings import read_settings  # noqa: PLC0415 -- as above

    return open_scanner(read_settings())


if __name__ == "__main__":
    serve(sys.argv[1], _store, _is_strict, _scanner)
