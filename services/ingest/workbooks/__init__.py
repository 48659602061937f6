"""Spreadsheets as accountants keep them: read, their tables found, understood as drafts with every doubt asked; pure."""
