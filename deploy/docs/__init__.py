"""Everything in the repository that is written from the code: schemas, the map, OpenAPI, AsyncAPI, metrics, settings.

`python -m deploy.docs` writes, `python -m deploy.docs --check` compares and exits 1 naming what is stale. `OUTPUTS`
is the list: one path, one function that returns the file's text. Nothing here may depend on the machine or the time.
"""

from deploy.docs.outputs import OUTPUTS, ROOT, main, stale, write
from deploy.docs.topics import map_text

__all__ = ["OUTPUTS", "ROOT", "main", "map_text", "stale", "write"]
