"""QR: the code on the wall, and the poster around it.

Owns: codes (which exist, for which village, which serial is valid) and nothing else.
Hears: `sanwu.divisions`, `sanwu.staff`, `sanwu.catalogue`. Says: `sanwu.codes`, whole state per code.
Never: asks a villager for anything after a scan, puts a village code into a code, issues a second code unasked.
"""
