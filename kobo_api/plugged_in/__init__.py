"""A Kobo whose disk is mounted on this machine, by cable: its configuration file and its database."""
