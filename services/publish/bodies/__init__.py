"""From the read model to bodies: `renderer` makes them, `release` names everything that has a hand in how they look."""
