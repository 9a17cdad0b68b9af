"""The parts of the composition root: foundation, tenancy, accounting, administration; each stands on the one before."""
