"""Losses compiled by torch, each kind once.

Knows what tasks are trained by; no weighting, and no optimiser.
"""
