"""`python -m services.ingest serve`."""

import sys
from typing import Final

from services.ingest.app import create_app
from services.ingest.handlers import REACT
from services.ingest.jobs import make_jobs
from services.ingest.settings import IngestSettings
from services.ingest.visit import make_own
from services.kit.process import main
from services.kit.service import Service

SERVICE: Final = Service(
    "ingest",
    IngestSettings,
    make_own,
    create_app,
    react=REACT,
    make_jobs=make_jobs,
    linger_ms=300,
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
