"""The Ray driver against stock Ray Tune."""
