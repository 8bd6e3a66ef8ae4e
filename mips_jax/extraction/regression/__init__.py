"""Exact expressions for tables of integers."""
