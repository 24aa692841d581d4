"""What several report formats share; a package, so that it is not taken for a format."""
