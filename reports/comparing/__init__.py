"""The methods side by side: winners, what they are worth and what they cost.

Reads frames and trials only.
"""
