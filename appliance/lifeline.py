"""Worker processes that end with the appliance, also when it was killed and could end nobody.

The appliance holds the writing end of each worker's standard input for as long as it lives; the system closes it,
whatever happened. A signal at the parent's death would be Linux only, and would go by the thread that started the
worker.
"""

import os
import select
import sys
import threading


def end_with_parent() -> None:
    """From now on this process ends at once, in the middle of whatever it does, when nobody holds the writing end of
    its standard input any more. What it was writing must survive that, as it must survive a power cut."""
    threading.Thread(target=_wait, name="lifeline", daemon=True).start()


def _wait() -> None:
    pipe = select.poll()
    pipe.register(sys.stdin.fileno(), 0)  # no event but the one that is always told: that the other end was closed
    pipe.poll()
    os._exit(1)
