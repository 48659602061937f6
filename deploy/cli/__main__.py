"""`python -m deploy.cli`; the set-up also writes it as `.venv/bin/sanwu`.

Exit status: 0 done and well · 1 something is wrong, or was refused: one sentence on standard error says what · 2 the
command line makes no sense · 130 interrupted. With `--json` standard output is one JSON object with stable keys.
"""

import sys

from deploy.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
