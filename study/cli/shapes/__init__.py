"""The shapes of what verbs print with ``--json``, a file a verb; `schema` makes JSON Schemas.

They are loaded by ``weighbridge schema`` and by tests, which hold every output against them; verbs
themselves print plain values.
"""
