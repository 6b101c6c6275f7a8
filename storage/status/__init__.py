"""Status: how a study's runs stand, what they have cost and what went wrong."""
