"""People, devices, tokens, permissions."""
