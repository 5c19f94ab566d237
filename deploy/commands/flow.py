"""`genoflow flow`: what follows from what, as a table or as a chart."""

from __future__ import annotations

import click

from genoflow.events.errors import Refused


@click.command()
@click.argument("name", required=False, metavar="[PROCESSOR]")
@click.option(
    "--format", "form", type=click.Choice(["table", "mermaid", "graphviz"]), default="table",
    help="a Markdown table, or a chart",
)  # fmt: skip
def flow(name: str | None, form: str) -> None:
    """Print who reads and writes which events; with a name, that row and what it touches.

    In a chart the edges are events. An edge without one opens an effect; a dashed one may lead
    back to where it came from, and has a bound.
    """
    from genoflow.processors.flow import FLOW
    from genoflow.processors.flow_chart import (
        around,
        edges,
        flow_table,
        graphviz,
        mermaid,
        nodes,
    )

    rows = [row for row in FLOW if name in (None, row.name)]
    if not rows:
        raise Refused(
            f"{name!r} is no row of the flow; there are {', '.join(row.name for row in FLOW)}"
        )
    if form == "table":
        click.echo(flow_table(rows))
        return
    shown, joined = (nodes(), edges()) if name is None else around(name)
    click.echo((mermaid if form == "mermaid" else graphviz)(shown, joined))
