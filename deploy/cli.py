"""`genoflow`: one command for everything, each part loaded only when it is called."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from genoflow.events.errors import GenoflowError

EXIT_FAULT = 1
# What the client logs when no broker answers; the command's own error says it, with the way out.
TOLD_BY_THE_ERROR = "Unable connect to"
EXIT_INTERRUPTED = 130  # as shells count a program that Ctrl-C ended: 128 + SIGINT

# Name on the command line: the module that holds it, its attribute there, its line of help.
COMMANDS = {
    "demo": ("genoflow.deploy.commands.demo", "demo", "Play six samples on a real stack."),
    "up": ("genoflow.deploy.commands.stack", "up", "Start the embedded servers."),
    "down": ("genoflow.deploy.commands.stack", "down", "Stop the embedded servers."),
    "status": ("genoflow.deploy.commands.stack", "status", "Show every server and its state."),
    "reset": ("genoflow.deploy.commands.stack", "reset", "Remove the embedded servers' data."),
    "work": ("genoflow.deploy.commands.work", "work", "Run processors, and keep them going."),
    "workers": ("genoflow.deploy.commands.workers", "workers", "Show what every worker does."),
    "parked": ("genoflow.deploy.commands.parked", "parked", "Look after what could not be taken."),
    "tower": ("genoflow.deploy.commands.tower", "tower", "Watch what is late or goes wrong."),
    "top": ("genoflow.deploy.commands.top", "top", "Show the whole lab, live or once."),
    "project": ("genoflow.deploy.commands.project", "project", "Feed read models from the log."),
    "projection": (
        "genoflow.deploy.commands.project", "projection", "Show read models, build them anew.",
    ),
    "replay": ("genoflow.deploy.commands.rehearse", "replay", "Compare the log with other code."),
    "flow": ("genoflow.deploy.commands.flow", "flow", "Print what follows from what."),
    "sample": ("genoflow.deploy.commands.sample", "sample", "Ask about samples; relabel them."),
    "case": ("genoflow.deploy.commands.case", "case", "Place and cancel orders; ask about cases."),
    "run": ("genoflow.deploy.commands.run", "run", "End runs, have them again; ask about them."),
    "file": ("genoflow.deploy.commands.file", "file", "Ask about files, and say whose one is."),
    "demultiplex": (
        "genoflow.deploy.commands.demultiplex", "demultiplex", "Have a run demultiplexed again.",
    ),
    "reads": ("genoflow.deploy.commands.reads", "reads", "Bring in material made elsewhere."),
    "upload": ("genoflow.deploy.commands.upload", "upload", "Send files to a lab, in parts."),
    "watch": ("genoflow.deploy.commands.watch", "watch", "Take in what instruments write."),
    "ingest": ("genoflow.deploy.commands.ingest", "ingest", "Take in what the store holds."),
    "timeline": ("genoflow.deploy.commands.timeline", "timeline", "What happened to a subject."),
    "catalog": ("genoflow.deploy.commands.catalog", "catalog", "Publish and show documents."),
    "qc": ("genoflow.deploy.commands.qc", "qc", "Decide about reads, and ask about them."),
    "results": ("genoflow.deploy.commands.results", "results", "Show, release, withdraw results."),
    "result": ("genoflow.deploy.commands.results", "results", "The same as `results`."),
    "subscription": (
        "genoflow.deploy.commands.subscription", "subscription", "Say who is told of what.",
    ),
    "serve": ("genoflow.deploy.commands.serve", "serve", "Serve the HTTP API."),
    "user": ("genoflow.deploy.commands.user", "user", "Say who may sign in, and do what."),
    "key": ("genoflow.deploy.commands.key", "key", "Give programs keys, and take them back."),
    "events": ("genoflow.deploy.commands.events", "events", "Read, write and move events."),
    "schemas": ("genoflow.deploy.commands.schemas", "schemas", "Release and check the schemas."),
    "topics": ("genoflow.deploy.commands.topics", "topics", "Create and check the topics."),
    "backup": ("genoflow.deploy.commands.backup", "backup", "Seal the log into the object store."),
    "restore": ("genoflow.deploy.commands.backup", "restore", "Bring a backup back."),
    "buckets": ("genoflow.deploy.commands.buckets", "buckets", "Set up and check the buckets."),
    "batch": ("genoflow.deploy.commands.batch", "batch", "Set up and check AWS Batch."),
    "sweep": ("genoflow.deploy.commands.sweep", "sweep", "Let go what no rule keeps."),
    "alerts": (
        "genoflow.deploy.commands.alerts", "alerts", "See alerts, take them up, end them.",
    ),
    "charts": (
        "genoflow.deploy.commands.charts", "charts", "See charts of quality; restart one.",
    ),
    "hold": ("genoflow.deploy.commands.hold", "hold", "Keep a sample, whatever the rules say."),
    "validate": (
        "genoflow.deploy.commands.validate", "validate", "Hold files to their specifications.",
    ),
    "lims": ("genoflow.deploy.commands.lims", "lims", "Fetch orders from the lab's LIMS."),
    "simulate": ("genoflow.deploy.commands.simulate", "simulate", "Make a run out of a seed."),
    "doctor": ("genoflow.deploy.commands.stack", "doctor", "Check what this machine provides."),
}  # fmt: skip


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's name
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's name
        cmd_name: str,
    ) -> click.Command | None:
        """Import the one command that is asked for."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is no command")
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's name
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the table's own lines, so that the list of commands imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="genoflow")
def genoflow() -> None:
    """Where is my sample, why is it there, and can you prove it?"""


class FirstLine(logging.Handler):
    """Sets logging up when the first line comes: most commands write none, and start faster."""

    def emit(self, record: logging.LogRecord) -> None:
        """Put the real handler in its own place and give it this line."""
        if record.name == "aiokafka" and record.msg.startswith(TOLD_BY_THE_ERROR):
            return
        from genoflow.deploy.logs import configure_logs  # noqa: PLC0415 -- the reason of this class
        from genoflow.deploy.settings import read_settings  # noqa: PLC0415

        settings = read_settings()
        configure_logs(level=settings.log_level, patterns=settings.person_patterns)
        logging.getLogger(record.name).handle(record)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; what goes wrong is one message on stderr."""
    try:
        logging.getLogger().handlers[:] = [FirstLine()]
        result = genoflow.main(args=arguments, prog_name="genoflow", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except GenoflowError as error:
        click.echo(f"genoflow: {error}", err=True)
        return EXIT_FAULT
    except (click.Abort, KeyboardInterrupt):
        click.echo("genoflow: interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


def main() -> None:
    """Be the console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
