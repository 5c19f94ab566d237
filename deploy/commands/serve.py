"""`genoflow serve`: the HTTP API."""

from __future__ import annotations

import asyncio

import click

from genoflow.deploy.settings import read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="where to listen")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8080, show_default=True,
    help="0 takes a free one and says which",
)  # fmt: skip
def serve(host: str, port: int) -> None:
    """Serve the API below /v1, and the schema registry at /registry, until SIGTERM or SIGINT.

    It speaks plain HTTP: let a proxy with a certificate stand before it, name its address in
    GENOFLOW_TRUSTED_PROXIES, and listen where only the proxy reaches it.
    """
    import uvloop

    from genoflow.deploy.serve import serve as run

    def ready(address: str) -> None:
        click.echo(f"genoflow: serving at {address}", err=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(read_settings(), host, port, ready))
