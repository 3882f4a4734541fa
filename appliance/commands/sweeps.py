"""`bookwake sweeps`: the scheduled work, and running one of it now."""

import argparse
from typing import TYPE_CHECKING, Any

from appliance.commands.failure import Failure, Options
from appliance.commands.opening import opened_house
from appliance.commands.output import print_json, print_table

if TYPE_CHECKING:
    from appliance.sweeps import Run


def declare(subparsers: Any, below: argparse.ArgumentParser) -> None:
    """`sweeps`."""
    text = "list the scheduled work, or run one sweep now"
    command = subparsers.add_parser("sweeps", help=text, description=text, parents=[below])
    command.add_argument("--run", metavar="NAME", dest="sweep", help="run this one now")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: Options) -> int:
    """List the sweeps, or run one and say what it did."""
    with opened_house(options) as house:
        from appliance.sweeps import SWEEPS, list_sweeps, run_now

        if name := options.get("sweep"):
            if name not in {sweep.name for sweep in SWEEPS}:
                known = ", ".join(sweep.name for sweep in SWEEPS)
                raise Failure(f"There is no sweep “{name}”. Choose one of: {known}.", misuse=True)
            done = run_now(house, name)
            if options["json"]:
                print_json({"name": name, **_run(done)})
            elif done.ok:
                print(done.result)
            if not done.ok:
                raise Failure(f"The sweep “{name}” failed. {done.result}")
            return 0
        states = list_sweeps(house)
    if options["json"]:
        print_json(
            [
                {
                    "name": state.name,
                    "purpose": state.purpose,
                    "schedule": state.schedule,
                    "last": _run(state.last) if state.last else None,
                }
                for state in states
            ]
        )
        return 0
    print_table(
        ("NAME", "WHEN", "LAST RUN", "RESULT"),
        [
            (
                state.name,
                state.schedule,
                f"{state.last.started_at:%Y-%m-%d %H:%M} UTC" if state.last else "never",
                state.last.result if state.last else "",
            )
            for state in states
        ],
    )
    return 0


def _run(run: "Run") -> dict[str, object]:
    return {
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "ok": run.ok,
        "result": run.result,
    }
