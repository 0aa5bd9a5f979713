"""The agreement protocol. Pure; knows nothing of transactions."""
