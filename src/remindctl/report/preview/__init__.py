"""Messages as their readers will see them: bubbles on a terminal, a page of phones, JSON.

What is shown is chosen by :func:`choose` from a plan's messages and told as :class:`Preview`;
contacts and names come in masked and are never shown otherwise.
"""

from remindctl.report.preview.bubbles import show
from remindctl.report.preview.choose import choose, choose_held
from remindctl.report.preview.document import to_json
from remindctl.report.preview.page import to_html
from remindctl.report.preview.planned import preview
from remindctl.report.preview.shown import Preview, Shown

__all__ = ["Preview", "Shown", "choose", "choose_held", "preview", "show", "to_html", "to_json"]
