"""`bookwake openapi`: the description of the JSON API, for those who write clients."""

import argparse
from typing import Any

from appliance.commands.failure import Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`openapi`."""
    text = "print the OpenAPI description of the JSON API"
    subparsers.add_parser("openapi", help=text, description=text, parents=[below]).set_defaults(run=run)


def run(options: Options) -> int:
    """Print it."""
    with opened_house(options) as house:
        from appliance.app import create_app

        print_json(create_app(house).openapi_schema.to_schema())
    return 0
