"""A generator of realistic sentences with planted personal data and with look-alikes; shares nothing with the detector."""
