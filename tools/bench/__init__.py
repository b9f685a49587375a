"""Measures of the platform against the barest code that does the same, each in one run."""
