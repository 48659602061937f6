"""Audit: looks at every event and at every missing one.

Owns: facts, what each rule said of each subject, alerts with their episodes and evidence.
Hears: `sanwu.disclosures`, `sanwu.keys`, `sanwu.publications`, reference topics. Says: `sanwu.alerts`, ids only.
Never: lets a line, a name or a body rest here; asserts what its evidence does not prove; takes missing data for a pass.
"""
