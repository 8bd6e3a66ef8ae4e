"""Minimisation of Boolean functions."""
