"""Ray's door: nothing outside imports Ray. Each module loads no more of it than it needs."""
