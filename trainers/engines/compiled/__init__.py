"""Losses compiled by torch, each kind once."""
