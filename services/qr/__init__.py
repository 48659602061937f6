"""QR: the code on the wall, what it is printed on, and how often it is opened.

Owns: codes (which exist, for what, which serial is valid), where they hang, sums of scans by code and day.
Hears: `sanwu.divisions`, `sanwu.staff`, `sanwu.catalogue`. Says: `sanwu.codes`, whole state per code; `sanwu.scans`.
Never: asks a villager for anything after a scan, remembers who scanned, gives a household a code of its own, puts a village
code into a code, issues a second code unasked.
"""
