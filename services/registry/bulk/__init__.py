"""Files that an operator brings: CSV text in, checked contracts out, or every fault at its line and column. Pure.

`catalogue` reads items, `divisions` reads the tree, `calendar` makes a year of working days. Nothing is guessed, and
nothing is taken when one line is wrong: all faults come together, so that a file is mended in one go.
"""
