"""Forms of all seven kinds: fields to a body and back, made from the catalogue; pure."""

from services.ingest.bulk.cells import account_words, to_yuan
from services.ingest.forms.codec import (
    Form,
    UsedRows,
    add_rows,
    field_of,
    fields_of,
    form_of,
    keep_field,
    note_faults,
    places_of,
    read_form,
    row_field,
    to_body,
)
from services.ingest.forms.spec import MAX_FORM_ROWS, Cell, Grid, Spec, spec_for
from services.ingest.forms.tenders import is_tender, may_tender, with_notices

__all__ = [
    "MAX_FORM_ROWS",
    "Cell",
    "Form",
    "Grid",
    "Spec",
    "UsedRows",
    "account_words",
    "add_rows",
    "field_of",
    "fields_of",
    "form_of",
    "is_tender",
    "keep_field",
    "may_tender",
    "note_faults",
    "places_of",
    "read_form",
    "row_field",
    "spec_for",
    "to_body",
    "to_yuan",
    "with_notices",
]
