"""What a job of AWS Batch starts: `python -m genoflow.deploy.batch_job EFFECT BUCKET`."""

from __future__ import annotations

import sys
from uuid import UUID

from genoflow.deploy.settings import batch_job_id, read_settings
from genoflow.deploy.wiring import open_s3
from genoflow.events.errors import GenoflowError
from genoflow.processors.adapters.batch_job import run_job
from genoflow.processors.adapters.job_notes import JobNotes
from genoflow.processors.adapters.s3 import S3Store

EXIT_NOT_BEGUN = 1


def main() -> int:
    """Be the job that the command line names."""
    effect, bucket = sys.argv[1:3]
    try:
        store = S3Store(open_s3(read_settings()))
        return run_job(JobNotes(store, bucket, UUID(effect)), batch_job_id(), _say)
    except GenoflowError as error:
        _say(f"genoflow: {error}")
        return EXIT_NOT_BEGUN


def _say(text: str) -> None:
    if text:
        sys.stderr.write(f"{text.rstrip()}\n")


if __name__ == "__main__":
    sys.exit(main())
