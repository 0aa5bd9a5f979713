"""Recorded slots: kept on disk, read, replayed, walked, and explained.

    events      what happened to one slot of one node: inputs with their tick, and what came of them
    recorder    stands around the node of the agreement protocol and notes all that
    format      a slot's record as bytes; `ring` keeps the records of the last slots on disk
    dump        the network's own format of a slot (`--scp-debug-dump`), both ways
    replay      the inputs once more through a fresh slot: states, and the first difference
    diagnosis   which vote of which node is missing; how far a slot is
    names, text a slot for people

A record holds the answers that the application gave (is this value valid, in which order), so that
a slot replays exactly, long after its transactions are forgotten. [docs/slot-debugger.md]
"""
