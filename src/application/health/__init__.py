"""Active checks of the instances: one, and all of them for ever."""
