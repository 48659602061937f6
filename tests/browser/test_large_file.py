"""A file that is too large, chosen in the desk's form: it is told in plain words, and nothing that was typed is lost."""
