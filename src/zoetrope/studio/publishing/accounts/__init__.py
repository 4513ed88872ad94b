"""Channels as people connect and watch them: accounts, their tokens, their quotas, the ledger of their calls."""
