"""Neural networks: the same model, data and optimizer step in mlcourse and in PyTorch."""

CASES = []
