"""`python -m services.publish serve`; `rebuild`, which builds the read model anew; `digest`, which sums it up by village."""

import sys

from services.kit.process import Service, main
from services.publish.app import create_app
from services.publish.handlers import PROJECT, REACT
from services.publish.jobs import DEADLINES, RENDER
from services.publish.rebuild import digest_command, rebuild_command
from services.publish.settings import PublishSettings

SERVICE = Service(
    "publish",
    PublishSettings,
    create_app,
    project=PROJECT,
    react=REACT,
    jobs=(RENDER, DEADLINES),
    commands=(rebuild_command(PROJECT), digest_command),
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
