"""Setting up minting, and minting: what governors and minters of a token do.

[docs/protocol/service.md#16.2]
"""
