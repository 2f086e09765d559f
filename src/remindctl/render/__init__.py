"""Templates and customers → messages: sandboxed, labelled as the law wants it, measured."""

from remindctl.render.check import TemplateProblem
from remindctl.render.check import problems as template_problems
from remindctl.render.legs import (
    ANCHOR_NAMES,
    NAMES,
    STORE_NAMES,
    CompiledLeg,
    Rendered,
    RenderProblem,
    compile_leg,
)
from remindctl.render.lengths import Length, international, korean, outside_cp949, sms_bytes

__all__ = [
    "ANCHOR_NAMES",
    "NAMES",
    "STORE_NAMES",
    "CompiledLeg",
    "Length",
    "RenderProblem",
    "Rendered",
    "TemplateProblem",
    "compile_leg",
    "international",
    "korean",
    "outside_cp949",
    "sms_bytes",
    "template_problems",
]
