"""Save the database each night and prove the copy by restoring it."""

from appliance.house import House
from appliance.operations import backup
from appliance.sweeps.schedule import Nightly
from appliance.sweeps.sweep import Stopping, Sweep


def run(house: House, stopping: Stopping) -> str:
    """Raises `BackupFailed`."""
    made = backup.make(house, stopping)
    kept = len(backup.backups(house.settings))
    proof = f"not restored for trial: {made.unproven}" if made.unproven else "restored for trial and compared"
    return (
        f"Saved {sum(made.rows.values()):,} rows as {made.path.name} ({made.size / 1e6:,.1f} MB), {proof};"
        f" {kept} {'backup' if kept == 1 else 'backups'} kept."
    )


SWEEP = Sweep(
    "backup",
    "Saves the database while everything goes on, restores the copy for trial, and keeps the newest seven.",
    Nightly(3, 30),
    run,
)
