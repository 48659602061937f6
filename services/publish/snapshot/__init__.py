"""The public site as files that open from a folder: the archive of a day, list and search included."""
