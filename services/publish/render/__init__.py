"""Pure: from what is stored and the time to what villagers read. No I/O, no kit."""
