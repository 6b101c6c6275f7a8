"""The worker process: how it is forked, told what to do, and looks at a problem."""
