"""Who is a person: in cells for names, and in running text. Pure; docs/adr/0016 tells how, and what is missed.

Names come in, places come out. Publish masks with it what everybody may read; the gate tells clerks what it found.
"""

from services.contracts.names.cells import HIDDEN, Span, find_in_cell, is_firm, is_usual_name, mask_cell, masked
from services.contracts.names.prose import find_in_text, mask_text
from services.contracts.names.segment import Words

__all__ = [
    "HIDDEN",
    "Span",
    "Words",
    "find_in_cell",
    "find_in_text",
    "is_firm",
    "is_usual_name",
    "mask_cell",
    "mask_text",
    "masked",
]
