"""`python -m services.publish serve`; `rebuild`, which builds the read model anew; `digest`, which sums it up by village; `snapshot`, the public site as files."""

import sys
from typing import Final

from services.kit.cli import new_app
from services.kit.process import main
from services.kit.service import Service
from services.publish.app import create_app
from services.publish.handlers import PROJECT, REACT
from services.publish.jobs import make_jobs
from services.publish.rebuild import digest, rebuild_command
from services.publish.settings import PublishSettings
from services.publish.snapshot.command import snapshot
from services.publish.visit import make_own

COMMANDS = new_app()
COMMANDS.command("rebuild")(rebuild_command(PROJECT))
COMMANDS.command("digest")(digest)
COMMANDS.command("snapshot")(snapshot)
SERVICE: Final = Service(
    "publish",
    PublishSettings,
    make_own,
    create_app,
    project=PROJECT,
    react=REACT,
    make_jobs=make_jobs,
    gather_s=0.25,
    commands=COMMANDS,
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
