"""A platform of its own under load, one of its processes killed after the other."""
