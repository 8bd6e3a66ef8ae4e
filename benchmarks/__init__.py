"""Measurements, one script for each question; run from the repository: `python -m
benchmarks.own_data`.
"""
