"""The parts of the composition root, each of which stands on the one before.

Foundation, tenancy, accounting, administration, measurement, instances, observation.
"""
