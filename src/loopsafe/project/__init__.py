"""Link, infer, propagate: from summaries to a project that can be asked what blocks where."""

from loopsafe.project.libraries import Libraries
from loopsafe.project.project import RECURSION_LIMIT, Project

__all__ = ["RECURSION_LIMIT", "Libraries", "Project"]
