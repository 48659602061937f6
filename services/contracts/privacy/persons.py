"""Names in running text, beside what the detector found there; a named child is a minor. Pure."""

import re
from typing import Final

from services.contracts.names import find_in_text
from services.contracts.privacy.hits import Hit

#: 贫困学生李明轩: the word before a name that makes it a child's. Students of universities are grown up.
_CHILD: Final = re.compile(
    r"(?:(?<!大)(?:小|中|高中|初中)?学生|儿童|孤儿|少年|幼儿|未成年人?(?:子女)?|孩子|女童|男童|婴儿|新生儿)[:：、（(\s]{0,2}$"
)
_LONGEST: Final = 8
#: 凤小红就读…小学三年级: what follows a name that is a child's.
_AT_SCHOOL: Final = re.compile(
    r"[，,、（(\s]{0,2}现?(?:就读于?|在读|[上读](?=[小初中高幼一二三四五六七八九]))[^\x00。;；大]{0,12}?(?:小学|初中|中学|幼儿园|[一二三四五六七八九]年级)"
)


def person_hits(text: str, hits: list[Hit]) -> list[Hit]:
    """What was found, with the names of persons and the word that makes one of them a child's."""
    names = [span for span in find_in_text(text) if not any(h.start < span.end and span.start < h.end for h in hits)]
    if not names:
        return hits
    found = [*hits]
    for span in names:
        before = _CHILD.search(text, max(span.start - _LONGEST, 0), span.start)
        for child in (before, _AT_SCHOOL.match(text, span.end)):
            if child and not any(h.start < child.end() and child.start() < h.end for h in found):
                found.append(Hit("minor", child.start(), child.end()))
        found.append(Hit("name", span.start, span.end))
    return sorted(found, key=lambda hit: hit.start)
