"""The API as a process: its services, its socket, and what it does beside answering."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any

import uvicorn

from genoflow.api.app import create_app
from genoflow.api.hot import Hot
from genoflow.api.identity import outbox
from genoflow.api.ports import UNAVAILABLE, Outside, Uploads
from genoflow.api.reads import keep_telling, tell_the_last
from genoflow.api.registry import SHUTDOWN_SECONDS_MAX, listen
from genoflow.api.routes import ROUTERS
from genoflow.api.services import Services
from genoflow.deploy.api_services import open_services
from genoflow.deploy.burdens import LogProcesses
from genoflow.deploy.desks import desks
from genoflow.deploy.logs import configure_logs
from genoflow.deploy.order_reader import OrderReader
from genoflow.deploy.porch import LogPorch
from genoflow.deploy.settings import Settings
from genoflow.deploy.timely import TimelyProtocol
from genoflow.deploy.upload_store import StoreUploads
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.registry import read_editions
from genoflow.projections import store as read_models
from genoflow.projections.models import MODELS

CALLERS_MAX = 1_000  # connections at a time; more are answered with 503 and not held
NOBODY_YET = "nobody can sign in yet: `genoflow user first` makes the first administrator"
TIDY_SECONDS = 3_600  # what is over for a day or a week may stay an hour longer

_log = logging.getLogger("genoflow.serve")


async def make_read_models(connection: Any) -> None:
    """Make empty tables where nobody has fed them yet: a question then finds nothing."""
    await read_models.prepare(connection)
    for model in MODELS:
        await read_models.live_build(connection, model)


async def serve(settings: Settings, host: str, port: int, ready: Callable[[str], object]) -> None:
    """Serve until a signal says stop; what makes the process useless ends it with its error."""
    configure_logs(level=settings.log_level, patterns=settings.person_patterns)
    try:
        listener = listen(host, port)
    except (OSError, OverflowError) as error:
        raise Refused(
            f"{host}:{port}: {error}; stop what listens there, or give another --port"
        ) from error
    with listener:
        async with open_services(settings) as made, open_log(settings) as log:
            async with made.pool.acquire() as connection:
                await make_read_models(connection)
            for topic in (topics.GOVERNANCE, topics.ACCESS):
                await log.partitions(topic.name)  # says which command makes it
            if await made.accounts.none_yet():
                _log.warning(NOBODY_YET)
            app = create_app(
                made,
                read_editions(),
                Outside(
                    LogPorch(log, settings.person_patterns),
                    desks(settings, log),
                    OrderReader(settings.person_patterns),
                    Uploads(StoreUploads(settings), settings.upload_bytes_max),
                    LogProcesses(log),
                ),
                routers=ROUTERS,
                cors_origins=settings.cors_origins,
            )
            server = uvicorn.Server(_config(Hot(app, made), settings))
            _stop_with_signals(server)
            beside = [
                asyncio.create_task(outbox.keep_sending(made.pool, log), name="outbox"),
                asyncio.create_task(keep_telling(made.reads), name="reads"),
                asyncio.create_task(_keep_tidy(made), name="tidy"),
            ]
            for task in beside:
                task.add_done_callback(lambda _: setattr(server, "should_exit", True))
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{listener.getsockname()[1]}")
            try:
                await server.serve(sockets=[listener])
            finally:
                try:
                    await _end(beside)
                finally:
                    await tell_the_last(made.reads)


def _config(app: Any, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=TimelyProtocol,
        log_config=None,  # its lines take the way of all others
        access_log=False,  # the app writes one, with the id of the request
        lifespan="off",
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=CALLERS_MAX,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
    )


def _stop_with_signals(server: uvicorn.Server) -> None:
    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it is done: these make that an exit with code 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


async def _keep_tidy(made: Services) -> None:
    while True:
        try:
            await made.sessions.forget_old()
            await made.idempotency.forget_old()
        except UNAVAILABLE as error:
            _log.warning("what is over stays an hour longer: %s", error)
        await asyncio.sleep(TIDY_SECONDS)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    done, _ = await asyncio.wait(tasks)
    for task in done:
        if not task.cancelled():
            task.result()  # it ended by itself, with the error that ends the process
