"""The real job of AWS Batch over a real store: claim, program, outcome, by the shipped command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from uuid import uuid4

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.batch_stack import shipped
from genoflow.deploy.launching import open_batch
from genoflow.deploy.settings import Settings, as_environment
from genoflow.deploy.wiring import open_s3
from genoflow.processors.adapters.s3 import S3Store
from genoflow.processors.job_outcome import outcome_key, read_outcome
from genoflow.processors.ports import JobState
from tests.batch_server import DEFINITION, batch_server
from tests.integration.effects import until
from tests.jobs import COUNTS, Site
from tests.servers import Bucket


def settings_of(at: Addresses, bucket: str, home: Path) -> Settings:
    return Settings(
        home=home, s3=at.s3, s3_access_key=at.s3_access_key, s3_secret_key=at.s3_secret_key,
        s3_region=at.s3_region, work_bucket=bucket, launcher="awsbatch",
    )  # fmt: skip


async def test_the_shipped_definition_leaves_the_outcome_in_the_object_store(
    s3_bucket: Bucket, tmp_path: Path
) -> None:
    mine = settings_of(s3_bucket.addresses, s3_bucket.name, tmp_path)
    [definition] = json.loads(shipped())["jobDefinitions"]
    assert definition["jobDefinitionName"] == DEFINITION
    command = definition["containerProperties"]["command"]
    store, job = S3Store(open_s3(mine)), uuid4()
    with batch_server(as_environment(mine)) as server:
        server.double.definitions[DEFINITION] = (sys.executable, *command[1:])
        at_double = mine.model_copy(update={"aws_endpoint": server.address})
        site = Site(tmp_path, lambda: open_batch(at_double, store))
        await site.launcher().launch(job, site.python(COUNTS, b"told"))
        await until(lambda: not server.double.living())
        assert await site.launcher().find(job) is JobState.ENDED
        [at_batch] = server.double.jobs.values()
    left = await store.get(s3_bucket.name, outcome_key(job))
    assert left is not None
    assert read_outcome(left).output == "told\n"
    assert (at_batch.state, site.counted()) == ("SUCCEEDED", "x")
    claim = await store.get(s3_bucket.name, f"effects/{job}/claim")
    assert claim == at_batch.job_id.encode()
