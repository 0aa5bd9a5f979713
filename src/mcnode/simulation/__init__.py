"""Whole networks under virtual time, any run of which replays from its seed. [docs/simulation.md]"""
