"""Scan, balance, send: the wallet as a library.

Ten lines that send a payment, with a wallet file made by `mcnode wallet new` or `import`:

    import asyncio
    from mcnode.wallet.wallet import Wallet

    async def pay(address: str, picomob: int) -> None:
        async with Wallet.open("wallet.db") as wallet:
            await wallet.sync()
            payment = await wallet.send(address, picomob)
            final = await wallet.wait_final(payment, timeout_s=60)
            print("in block", final.final_in_block, "left", wallet.balance())

    asyncio.run(pay(ADDRESS, 1_500_000_000_000))
"""
