"""Runs CUDA C++ on the CPU: compiles it with the C++ compiler of this machine and looks at what it does."""
