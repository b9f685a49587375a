"""Plates as people type them and as they are kept.

The forms are those of GA 36-2018, 中华人民共和国机动车号牌: a province, a letter for the issuing
office, then a serial of five signs, six for a new-energy vehicle. A serial has neither I nor O.
"""

from __future__ import annotations

import re
import unicodedata

from cloud.kernel.ui.language import Tone
from cloud.modules.vehicles.models import PlateType

PLATE_TYPE_LABELS: dict[PlateType, tuple[str, Tone]] = {
    PlateType.fuel: ("Fuel", Tone.info),
    PlateType.new_energy: ("New energy", Tone.ok),
    PlateType.hk_macau: ("Hong Kong or Macau", Tone.mute),
    PlateType.other: ("Other plate", Tone.mute),
    PlateType.unlicensed: ("No plate", Tone.warn),
}
EXAMPLES = {
    PlateType.fuel: "粤B12345",
    PlateType.new_energy: "粤BD12345",
    PlateType.hk_macau: "粤ZF023港",
    PlateType.other: "使014578",
}

_PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
_LETTER = "[A-HJ-NP-Z]"
_SIGN = "[A-HJ-NP-Z0-9]"
# A small vehicle says first, a large one last that it drives on new energy: D and F at first,
# then the letters that came when their series were full.
_ENERGY = "[A-HJK]"
_FORMS = {
    PlateType.fuel: f"{_PROVINCE}{_LETTER}{_SIGN}{{4}}[A-HJ-NP-Z0-9学警领挂]",
    PlateType.new_energy: rf"{_PROVINCE}{_LETTER}({_ENERGY}{_SIGN}\d{{4}}|\d{{5}}{_ENERGY})",
    PlateType.hk_macau: f"粤Z{_SIGN}{{4}}[港澳]",
    PlateType.other: r"\w{2,20}",
    PlateType.unlicensed: "",
}
_MOST = 5
_DIGIT = re.compile(r"\d")
_BETWEEN = re.compile(r"[\W_]+")
_LOOKALIKES = str.maketrans("OI", "01")
_SOUGHT = re.compile(r"[一-鿿][A-Z0-9]{1,8}[一-鿿]?|[A-Z0-9]{2,8}[一-鿿]?")
# A letter and fewer signs than these would look through a tenth of all plates.
_OFFICE_AND_SERIAL = re.compile(r"[A-Z][A-Z0-9]{3,7}")


def plate_of(text: str, plate_type: PlateType) -> str:
    """The plate without what stands between its signs, in capitals: 粤b·12345 → 粤B12345.

    In a serial that GA 36 describes O is read as 0 and I as 1, which it would not have.
    """
    plate = _plain(text)
    if plate_type in {PlateType.other, PlateType.unlicensed}:
        return plate
    return plate[:2] + plate[2:].translate(_LOOKALIKES)


def is_plate(plate: str, plate_type: PlateType) -> bool:
    """Whether what `plate_of` made has the form of its kind. No plate is the form of unlicensed."""
    return re.fullmatch(_FORMS[plate_type], plate) is not None


def folded(text: str) -> str:
    """A plate, or a part of one, in which O and 0, I and 1 are the same."""
    return _plain(text).translate(_LOOKALIKES)


def sought(text: str) -> str | None:
    """The beginning of a plate or of its serial, folded; None for what is none, as a name is."""
    plain = _plain(text)
    return plain.translate(_LOOKALIKES) if _SOUGHT.fullmatch(plain) else None


def most_of_a_plate(text: str) -> str | None:
    """As `sought`, for so many signs that nobody looks for them inside a plate. A plate has a
    digit, a name has none."""
    plate = sought(text)
    if plate is None or len(plate) < _MOST or not _DIGIT.search(text):
        return None
    return plate


def office_and_serial(plate: str) -> tuple[str, str] | None:
    """B12345 → B and 12345: a plate typed without its province."""
    return (plate[0], plate[1:]) if _OFFICE_AND_SERIAL.fullmatch(plate) else None


def _plain(text: str) -> str:
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).upper())
