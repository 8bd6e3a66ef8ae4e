"""Registers: what a network remembers, as integers that determine outputs and their next values."""
