"""What changes a disclosure, a waiver, a quarter's page: one function a step, called from API, desk and jobs alike.

Each takes the row's lock first, then checks role, scope, version and state, then writes state and event together.
"""

from services.ingest.commands.approvals import approval_of, approve_later, carry_out, undo
from services.ingest.commands.attachments import attach, file_of, queue_unused, sweep
from services.ingest.commands.cells import VillageCells, cells_of
from services.ingest.commands.checking import Word, approve, confirm, file, send_back
from services.ingest.commands.declarations import asked_items, confirm_declaration, declare, return_declaration
from services.ingest.commands.desk import (
    Desk,
    Reason,
    Saved,
    content_of,
    duty_of,
    findings_of,
    found_for,
    item_of,
    items_within,
    visible_edition,
)
from services.ingest.commands.differences import Difference, against_edition, against_previous
from services.ingest.commands.entering import correct, create, create_nil, discard, save, submit
from services.ingest.commands.imports import Imported, Undone, import_file, import_of, undo_import
from services.ingest.commands.masking import accept, mask
from services.ingest.commands.sheets import code_of, signers_of
from services.ingest.commands.waivers import Decision, decide_waiver, file_waiver
from services.ingest.commands.withdrawing import agree_to_erase, erase_due, restore, withdraw

__all__ = [
    "Decision",
    "Desk",
    "Difference",
    "Imported",
    "Reason",
    "Saved",
    "Undone",
    "VillageCells",
    "Word",
    "accept",
    "against_edition",
    "against_previous",
    "agree_to_erase",
    "approval_of",
    "approve",
    "approve_later",
    "asked_items",
    "attach",
    "carry_out",
    "cells_of",
    "code_of",
    "confirm",
    "confirm_declaration",
    "content_of",
    "correct",
    "create",
    "create_nil",
    "decide_waiver",
    "declare",
    "discard",
    "duty_of",
    "erase_due",
    "file",
    "file_of",
    "file_waiver",
    "findings_of",
    "found_for",
    "import_file",
    "import_of",
    "item_of",
    "items_within",
    "mask",
    "queue_unused",
    "restore",
    "return_declaration",
    "save",
    "send_back",
    "signers_of",
    "submit",
    "sweep",
    "undo",
    "undo_import",
    "visible_edition",
    "withdraw",
]
