"""`python -m services.ingest serve`."""

import sys

from services.ingest.app import create_app
from services.ingest.handlers import PROJECT
from services.ingest.jobs import JOBS
from services.ingest.settings import IngestSettings
from services.kit.process import Service, main

SERVICE = Service("ingest", IngestSettings, create_app, project=PROJECT, jobs=JOBS)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
