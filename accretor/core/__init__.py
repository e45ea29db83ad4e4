"""The words of the field: no files, no network, nothing of ours imported."""
