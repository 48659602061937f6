"""What a code is for, as people write it, one or many in a file; pure."""
