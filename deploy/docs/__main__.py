"""`python -m deploy.docs [--check]`."""

import sys

from deploy.docs import main

sys.exit(main())
