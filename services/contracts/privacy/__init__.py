"""The detector of personal data in text: numbers, homes, illness, contacts. Pure, linear in the length of the text.

Text comes in, places come out, never what stands there: findings and masked text can be logged and shown. Ingest's
gate, publish's pages and the logs use it. docs/privacy.md tells what is found, what is not, and how that was measured.
"""

from services.contracts.privacy.covering import cover, mask
from services.contracts.privacy.detecting import detect
from services.contracts.privacy.hits import EXPLAINABLE, WORDS, Hit, Kind
from services.contracts.privacy.reading import APART
from services.contracts.privacy.walking import Place, findings, places

__all__ = ["APART", "EXPLAINABLE", "WORDS", "Hit", "Kind", "Place", "cover", "detect", "findings", "mask", "places"]
