"""The files that a campaign names: texts, pages and images, inside the folder of the campaign."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
from dataclasses import dataclass
from pathlib import Path

from remindctl.documents import Finding, all_wrong, decode, wrong
from remindctl.errors import Refused

MAX_TEXT_BYTES = 400_000
MAX_IMAGE_BYTES = 5_000_000
# First bytes → how such a file's name ends.
_IMAGES = {b"\xff\xd8\xff": (".jpg", ".jpeg"), b"\x89PNG\r\n\x1a\n": (".png",)}


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text that stands in a file of its own, and the file's name as problems show it."""

    shown: str
    text: str


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image whose content is what its name says: its absolute path, its bytes."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Folder:
    """What a campaign may read: the folder of its file, and nothing that a link leads out of."""

    root: Path

    def text(self, name: str) -> TextFile:
        """Read a text.

        Raises:
            pydantic_core.PydanticCustomError: absent, elsewhere, too long, or not UTF-8.
        """
        shown, data = str(self.root / name), _read(self._find(name), MAX_TEXT_BYTES)
        try:
            return TextFile(shown, decode(data, shown))
        except Refused as refused:
            raise all_wrong(
                Finding(problem.what, problem.hint, elsewhere=problem.place)
                for problem in refused.problems
            ) from None

    def image(self, name: str) -> ImageFile:
        """Find a JPEG or PNG.

        Raises:
            pydantic_core.PydanticCustomError: absent, elsewhere, too large, or no such image.
        """
        path = self._find(name)
        data = _read(path, MAX_IMAGE_BYTES)
        endings = next((ends for head, ends in _IMAGES.items() if data.startswith(head)), None)
        if endings is None:
            raise wrong(f"{name} is neither JPEG nor PNG", "save it again as .jpg or .png")
        if path.suffix.lower() not in endings:
            raise wrong(f"{name} is not what its name says", f"rename it to end in {endings[0]}")
        return ImageFile(path, len(data))

    def _find(self, name: str) -> Path:
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            hint = "copy the file into the campaign's folder"
            raise wrong(f"{name!r} lies outside of the campaign's folder", hint)
        if not path.is_file():
            raise wrong(f"there is no file {name!r}", "its path starts at the campaign's folder")
        return path


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise wrong(f"cannot be read: {error.strerror}") from None
    if len(data) > most:
        raise wrong(f"the file is larger than {most // 1000:,} kB")
    return data
