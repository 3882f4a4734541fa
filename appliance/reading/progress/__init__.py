"""Where a person is in a book: what devices report, the conflict rule, and the place in each device's dialect."""
