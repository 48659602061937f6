"""`python -m services.publish serve`."""

import sys

from services.kit.process import Service, main
from services.publish.app import create_app
from services.publish.handlers import PROJECT, REACT
from services.publish.jobs import DEADLINES, RENDER
from services.publish.settings import PublishSettings

SERVICE = Service("publish", PublishSettings, create_app, project=PROJECT, react=REACT, jobs=(RENDER, DEADLINES))

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
