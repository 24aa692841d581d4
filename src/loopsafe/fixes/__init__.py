"""Stage fix: findings that carry a `Remedy` become `Fix`es, and fixes become new text.

Nothing here decides what blocks, reads settings or writes files; LibCST is imported only to rewrite a call.
The parts: `places` (where a finding stands in the tree), `hazards` and `races` (what forbids or weakens a
rewrite there), `names` and `imports` (how to spell the off-loader), `recipes` and `rewriting` (the text
edits), `proof` (that they mean what they should), `proposals` (all of it together), `edits` and `passes`
(from fixes to text).
"""

from __future__ import annotations

from loopsafe.fixes.edits import Applied, apply
from loopsafe.fixes.passes import Stabilised, stabilise
from loopsafe.fixes.proposals import attach, propose
from loopsafe.fixes.recipes import Proposal

__all__ = ["Applied", "Proposal", "Stabilised", "apply", "attach", "propose", "stabilise"]
