"""The spec: a study.toml as frozen values, checked on its own.

Imports no plan, database or driver.
"""
