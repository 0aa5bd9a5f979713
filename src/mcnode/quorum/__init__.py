"""Lint and analysis of quorum sets: can the network split, can it halt, and through whom.

`sources` reads a federated system (`model`) from files; `lint` looks at each set by itself;
`intersection` decides whether two quorums can be disjoint, `sets` finds the minimal quorums,
blocking and splitting sets; `summary` puts the answers together. `whatif` edits a system, `suggest`
makes a set from a list of organisations, `graph` draws. All of it is pure: texts and values in,
values out; a caller bounds a search through `bounds.Bounds`. [docs/quorum.md]
"""
