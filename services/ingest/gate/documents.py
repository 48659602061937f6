"""What can be read in a PDF: the text of its pages, its properties and its table of contents; pure.

Runs in a process of its own (`gate.child`): the library that reads PDFs is large and reads what strangers send.
"""

from collections.abc import Iterator
from typing import Final

import pypdfium2

from services.contracts import privacy
from services.ingest.gate.images import UnusableFileError

#: Pages and characters of a page that are read; more than this is no voucher.
MOST_PAGES: Final = 500
_MOST_SIGNS: Final = 100_000
#: What stands in no page: the properties and the table of contents.
PROPERTIES: Final = 0


def personal_data(content: bytes) -> list[tuple[int, str]] | None:
    """Each kind of personal data with the page that has it, 0 for the properties; None when it cannot be read.

    Names are not looked for: every contract has some.
    """
    found: dict[tuple[int, str], None] = {}
    try:
        for page, text in _texts(content):
            for hit in privacy.detect(text):
                found[page, hit.kind] = None
    except pypdfium2.PdfiumError:
        return None
    return list(found)


def _texts(content: bytes) -> Iterator[tuple[int, str]]:
    document = pypdfium2.PdfDocument(content)
    if len(document) > MOST_PAGES:
        message = f"PDF 有 {len(document)} 页，最多 {MOST_PAGES} 页，请分成几个文件。"
        raise UnusableFileError(message)
    yield PROPERTIES, privacy.APART.join(document.get_metadata_dict(skip_empty=True).values())
    yield PROPERTIES, privacy.APART.join(mark.get_title() for mark in document.get_toc())
    for n in range(len(document)):
        yield n + 1, document[n].get_textpage().get_text_bounded()[:_MOST_SIGNS]
