"""Templates and customers → messages: sandboxed, labelled as the law wants it, measured."""

from remindctl.render.check import TemplateProblem
from remindctl.render.check import problems as template_problems
from remindctl.render.compilation import compile_leg, warnings
from remindctl.render.legs import RENDERED, CompiledLeg, blanks
from remindctl.render.lengths import Length, international, korean, outside_cp949, sms_bytes
from remindctl.render.names import ANCHOR_NAMES, NAMES, STORE_NAMES

__all__ = [
    "ANCHOR_NAMES",
    "NAMES",
    "RENDERED",
    "STORE_NAMES",
    "CompiledLeg",
    "Length",
    "TemplateProblem",
    "blanks",
    "compile_leg",
    "international",
    "korean",
    "outside_cp949",
    "sms_bytes",
    "template_problems",
    "warnings",
]
