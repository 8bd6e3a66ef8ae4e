"""Example sequences from files."""
