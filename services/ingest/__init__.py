"""Ingest: disclosures on their way from the clerk to the township.

Owns: drafts, editions, confirmations, approvals, withdrawals, and the keys that open approved content.
Hears: what was published (`sanwu.publications`), reference data. Says: `sanwu.disclosures`, `sanwu.keys`.
Never: says a body before the township approved it, nor keeps one after it was erased.
"""
