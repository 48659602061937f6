"""What an approved event carries, as the read model keeps it."""

from dataclasses import dataclass
from typing import Final

from services.contracts.bodies import OUTLINE, Outline
from services.contracts.disclosure import ApprovedContent
from services.publish.render.rows import Said

#: How a content begins, and what stands behind its body: within a text these quotes would have a backslash before them, and
#: no body has a list of that name.
_BEFORE_BODY: Final = b'{"body":'
_BEHIND_BODY: Final = b',"accepted":['


@dataclass(frozen=True, slots=True)
class Opened:
    """An approved content: its body as it was said (JSON), what lists tell of it, and what was said beside it."""

    body: str
    outline: Outline
    said: Said


def read_content(plain: bytes, *, again: bool) -> Opened:
    """Read an approved content; ValidationError when it is none.

    One that is read again was checked when it was handled first, and its key tells who sealed it: then nothing is looked at
    but what is used.
    """
    content = None if again else ApprovedContent.model_validate_json(plain)
    body, _, rest = plain.removeprefix(_BEFORE_BODY).partition(_BEHIND_BODY)
    try:
        return Opened(body.decode(), OUTLINE.validate_json(body), Said.model_validate_json(b'{"accepted":[' + rest))
    except ValueError:
        # Written another way than `model_dump_json` does, or no content at all.
        content = content or ApprovedContent.model_validate_json(plain)
        return Opened(content.body.model_dump_json(), content.body, Said(**content.model_dump(exclude={"body"})))
