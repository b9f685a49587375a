"""Simulated time over restarts: kept in start.json, so that no register ever runs backwards."""

import json
import os
from pathlib import Path

from simulators.meters import Course

FILE = "start.json"


class CourseError(Exception):
    """The file is there but cannot be followed."""


def resume(state: Path, *, speed: float, now_s: float) -> Course:
    """Begin on the first start, go on from there after; a new speed holds from now on."""
    path = state / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        course = Course(*(float(found[key]) for key in ("origin", "at", "virtual", "speed")))
    except FileNotFoundError:
        course = Course(now_s, now_s, now_s, speed)
        _write(path, course)
        return course
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}) — registers would run backwards without it; "
            "restore it, or delete it to begin anew"
        ) from error
    if course.speed != speed:
        course = Course(course.origin_s, max(now_s, course.at_s), course.virtual(now_s), speed)
        _write(path, course)
    return course


def _write(path: Path, course: Course) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(
            {
                "origin": course.origin_s,
                "at": course.at_s,
                "virtual": course.virtual_s,
                "speed": course.speed,
            },
            file,
        )
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
