"""Money that attempts hold and spend, kept in step with the store of budgets and with the ledger."""
