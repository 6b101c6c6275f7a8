"""From a spec to a plan: searches, stages, packs, identities. Nothing here opens a database."""
