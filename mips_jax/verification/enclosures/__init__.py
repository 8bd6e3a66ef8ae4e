"""Proofs for words of every length: boxes around hidden states that no word leaves."""
