"""Registers: what a network remembers, as integers that determine outputs and their own next values."""
