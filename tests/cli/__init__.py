"""The command line: flags, streams, summaries, formats and exit codes."""
