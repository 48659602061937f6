"""Files from outside, made anew in a process of their own; pure."""
