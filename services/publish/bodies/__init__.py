"""From the read model to bodies: `renderer` makes them, `asked` answers with them when none was rendered yet."""
