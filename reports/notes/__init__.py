"""Fair-play notes: what a reader must know before believing a comparison.

A module a kind of note.
"""
