"""Publish: what villagers read, on paper-thin pages and as JSON.

Owns: publications, the public read model, rendered bodies under `SANWU_HOME/publish`.
Hears: `sanwu.disclosures`, `sanwu.keys`, `sanwu.codes`, reference topics. Says: `sanwu.publications`.
Never: shows a payee's reference or a masked name; shows a word of withdrawn content; needs a login.
"""
