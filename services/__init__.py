"""Everything that runs: five services, the words they share (`contracts`) and their plumbing (`kit`)."""
