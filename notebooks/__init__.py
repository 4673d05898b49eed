"""The notebooks and their strict runner (python -m notebooks.run)."""
