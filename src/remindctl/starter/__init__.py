"""A new store folder: the texts of its files, from the shop's facts and the campaign library."""

from remindctl.starter.collection import Library, Piece, library_folder, read_library
from remindctl.starter.configuration import blame, configuration
from remindctl.starter.facts import DEFAULTS, PROVIDERS, Facts, key_for
from remindctl.starter.folder import Program, folder

__all__ = [
    "DEFAULTS",
    "PROVIDERS",
    "Facts",
    "Library",
    "Piece",
    "Program",
    "blame",
    "configuration",
    "folder",
    "key_for",
    "library_folder",
    "read_library",
]
