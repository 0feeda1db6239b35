"""`python -m tests.bench`; what it takes from the environment stands at the top of the package."""

import os
import signal
import sys

from tests.bench.figures import figures
from tests.bench.rounds import say
from tests.bench.sides import Bench


def main() -> None:
    """Measure what is asked for, and leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # as an exception, so that nothing stays behind
    bench = Bench()
    say("PostgreSQL on this machine, without fsync; client, server and database share its processors")
    try:
        if os.environ.get("LOAD"):
            from tests.bench.load import load

            load(bench)
        else:
            figures(bench)
    finally:
        bench.end()


if __name__ == "__main__":
    main()
