"""Settings over HTTP: for administrators of this deployment, about this deployment."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.routes import ROUTERS
from genoflow.deploy.settings import Settings
from tests.doors import Unlimited, open_door, refused


async def test_an_administrator_reads_settings_without_secrets(
    tables_url: str, tmp_path: Path
) -> None:
    hidden = SecretStr("postgresql://lab:hidden@db.lab.example/genoflow")
    settings = Settings(home=tmp_path, environment="production", postgres=hidden)
    async with open_door(
        tables_url, routers=ROUTERS, limits=Unlimited(), settings=settings
    ) as door:
        headers = await door.bearer("ada", Role.ADMIN)
        answer = await door.client.get("/v1/config/production/api", headers=headers)
        assert answer.status_code == 200, answer.text
        config = answer.json()["config"]
        assert config["database_url"] == "postgresql://[redacted]@db.lab.example/genoflow"
        assert (config["aws_region"], config["feature_flags"]) == ("us-east-1", {})
        assert "hidden" not in answer.text
        other = await door.client.get("/v1/config/staging/api", headers=headers)
        assert "which is production" in refused(other, 404)["message"]
        strange = await door.client.get("/v1/config/production/lambda", headers=headers)
        assert "there are worker, api" in refused(strange, 404)["message"]
        narrow = {"X-API-Key": await door.key("ada", Permission.SAMPLES_READ)}
        refused(await door.client.get("/v1/config/production/api", headers=narrow), 403)
        for role in set(Role) - {Role.ADMIN}:
            theirs = await door.bearer(role.value, role)
            refused(await door.client.get("/v1/config/production/api", headers=theirs), 403)
        assert (await door.client.get("/v1/config/production/api")).status_code == 401
