"""The command line: flags, streams, summaries and exit codes as in ruff; the analysis is the engine's.

`main` imports the rest inside functions, so that `loopsafe --version` imports next to nothing.
"""
