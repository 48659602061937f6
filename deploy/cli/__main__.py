"""`python -m deploy.cli`; the set-up also writes it as `.venv/bin/sanwu`.

Exit status: 0 done and well · 1 something is wrong, or was refused: one sentence on standard error says what · 2 the
command line makes no sense · 3 (`status`) the city is stopped · 130 interrupted. With `--json` standard output is one JSON object with stable keys.
"""

import sys
from collections.abc import Sequence


def start(arguments: Sequence[str]) -> int:
    """Run the command line. `status` has a way of its own: who asks how things stand should not wait for imports."""
    if arguments[:1] == ["status"] and set(arguments[1:]) <= {"--json"}:
        from deploy.cli import status  # noqa: PLC0415 - see above

        return status.main(arguments)
    from deploy.cli import app  # noqa: PLC0415 - see above

    return app.main()


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
