"""Models that read whole words as networks: functions, PyTorch and flax modules, GPT-2 folders."""
