"""What the local launcher starts: `python -m genoflow.deploy.job DIRECTORY LOCK BUCKET KEY`."""

from __future__ import annotations

import sys
from pathlib import Path

from genoflow.processors.adapters.local_job import Put, run_job


def _put() -> Put:
    import asyncio  # noqa: PLC0415 -- after the fork: see run_job

    from genoflow.deploy.settings import read_settings  # noqa: PLC0415 -- the same
    from genoflow.deploy.wiring import open_s3  # noqa: PLC0415 -- the same
    from genoflow.processors.adapters.s3 import S3Store  # noqa: PLC0415 -- the same

    bucket, key = sys.argv[3:5]
    store = S3Store(open_s3(read_settings()))

    def put(body: bytes) -> None:
        asyncio.run(store.put_if_absent(bucket, key, body))

    return put


if __name__ == "__main__":
    run_job(Path(sys.argv[1]), int(sys.argv[2]), _put)
