"""The search for the smallest perfect network: `state` (what it has found out), `rules` (what
follows from an evaluation), `ladder` (which shapes, in what order), `run` (training in between).
"""
