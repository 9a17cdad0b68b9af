"""Who a credential belongs to: the master key, and virtual keys kept in memory while nothing changes."""
