"""Whole networks under virtual time; any run replays from its seed. [docs/simulation.md]"""
