"""Mathematics from scratch: one module for each chapter of the first part."""
