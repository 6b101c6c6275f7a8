"""The worker process: how it is forked, told what to do, and looks at a problem.

It may use all of `trainers`; drivers start it as a program.
"""
