"""What changes codes, where they hang and how often they were opened; called from every way in."""
