"""Account keys, subaddresses, mnemonics, printable addresses."""
