"""What attempts cost: estimated before, written down when they end."""
