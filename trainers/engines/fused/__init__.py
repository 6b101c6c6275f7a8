"""The fused engine: runs of the same tasks are trained as one stacked model."""
