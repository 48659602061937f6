"""Registry: divisions, catalogue, deadline profiles, calendar, staff and signing in.

Owns: all reference data (it is their single writer), password hashes, signing keys, sessions.
Hears: nothing. Says: `sanwu.divisions`, `sanwu.catalogue`, `sanwu.staff`, whole state per key.
Never: lets a password, a hash or a private key out; every other service works while it is down.
"""
