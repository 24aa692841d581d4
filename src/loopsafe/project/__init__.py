"""Link, infer, propagate: from summaries to a project that can be asked what blocks where."""

from loopsafe.project.libraries import Libraries
from loopsafe.project.project import Project
from loopsafe.project.room import room_for_analysis, set_aside

__all__ = ["Libraries", "Project", "room_for_analysis", "set_aside"]
