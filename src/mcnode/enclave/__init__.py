"""The trusted process, its boundary and the client of it."""
