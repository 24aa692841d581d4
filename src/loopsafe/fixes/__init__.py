"""Stage fix: findings that carry a `Remedy` become `Fix`es, and fixes become new text.

Nothing here decides what blocks, reads settings or writes files; LibCST is imported only to rewrite a call.
The parts: `file` and `places` (where a finding stands in the tree), `hazards` and `races` (what forbids or weakens a
rewrite there), `names` and `imports` (how to spell what is used), one writer per kind of remedy (`offloads`, `awaits`,
`calls`, `tasks`, `protocols`, `twins`, `demotions`; `transfers` for blocks), `layout` and `fitting` (rows),
`proof` (that the edits mean what they should), `proposals` (all of it together), `edits` and `together` (from fixes to
text), `silencing` (comments for what stays).
"""

from __future__ import annotations

from loopsafe.fixes.edits import Applied, apply
from loopsafe.fixes.proposals import attach, propose
from loopsafe.fixes.recipes import Proposal

__all__ = ["Applied", "Proposal", "apply", "attach", "propose"]
