"""YAML with the line on which each value stands."""

from typing import Any

import yaml

from edge_agent.config_mistakes import Mistake, Path, spell

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotYaml(ValueError):
    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


def read_yaml(data: bytes) -> tuple[Any, dict[Path, int], list[Mistake]]:
    """The tree, the line of each value in it, and keys that are given twice."""
    loader = _Loader(data)
    try:
        node = loader.get_single_node()
        tree = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotYaml(error.problem or "unreadable", line) from error
    except (yaml.YAMLError, ValueError) as error:
        raise NotYaml(str(error).splitlines()[0], 1) from error
    finally:
        loader.dispose()
    lines: dict[Path, int] = {(): 1}
    repeated: list[Mistake] = []
    if node is not None:
        _note(node, (), lines, repeated)
    return tree, lines, repeated


def _note(node: yaml.Node, path: Path, lines: dict[Path, int], repeated: list[Mistake]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            if inner in lines:
                repeated.append(
                    Mistake(
                        key.start_mark.line + 1,
                        f"{spell(inner)}: given twice, first on line {lines[inner]}",
                    )
                )
            lines[inner] = key.start_mark.line + 1
            _note(value, inner, lines, repeated)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note(value, (*path, index), lines, repeated)
