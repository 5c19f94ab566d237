"""What several commands ask a person in the same words."""

from __future__ import annotations

import click

AS = click.option("--as", "person", help="who decides; the account that runs this otherwise")
DRY_RUN = click.option("--dry-run", is_flag=True, help="check everything, append nothing")
REASON = click.option("--reason", required=True, help="why, for whoever asks later")
REQUEST_ID = click.option("--request-id", help="of the decision: repeated, it is the same one")
