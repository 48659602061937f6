"""`python -m deploy.nginx`: print the front's configuration for the environment's settings."""

import os
import sys

from deploy.nginx import FrontError, filled


def main() -> int:
    """Exit 1 and one sentence when a setting is missing or wrong."""
    try:
        text = filled(os.environ)
    except FrontError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
