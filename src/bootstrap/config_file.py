"""The configuration file: YAML in which no key stands twice, with the environment filled in."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from bootstrap.configuration_error import ConfigurationError, KeyPath, spell_path

MAX_DEPTH = 64

_REFERENCE = re.compile(r"(?P<escape>\$)?\$\{(?P<inside>[^{}]*)\}?")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
# What PyYAML quotes: signs and names of its own, or a piece of the file, as far as the text goes.
_QUOTED = re.compile(r"(?P<own>'(?:.|<[a-z ]+>)')|['\"].*", re.DOTALL)
_MERGE_TAG = "tag:yaml.org,2002:merge"
_TIMESTAMP_TAG = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class Expanded:
    """A document with the environment filled in, and what was odd about it."""

    document: object
    warnings: tuple[str, ...]


class _Loader(yaml.SafeLoader):
    """YAML's safe subset without dates: `api_version: 2024-10-21` stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP_TAG]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(path: Path) -> object:
    """The parsed file, nothing expanded; an empty file is an empty mapping.

    Raises:
        ConfigurationError: It can't be read, is no UTF-8 text, no YAML, or gives a key twice.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError([f"{path}: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: expected YAML in UTF-8, found other bytes at {error.start}"]) from error
    return parse_document(text, str(path))


def parse_document(text: str, source: str) -> object:
    """The document in `text`; `source` names it in errors. As `read_document` otherwise."""
    try:
        document = _parsed(text)
    except ConfigurationError:
        raise
    except yaml.YAMLError as error:
        raise ConfigurationError([_in_one_line(error, source)]) from error
    except Exception as error:  # PyYAML lets out whatever a number such as 0b_ or a tag that does not fit brings about
        why = "nested too deeply, an odd number, or a value that its tag does not fit"
        raise ConfigurationError([f"{source}: not readable as YAML: {why}"]) from error
    return {} if document is None else document


def _parsed(text: str) -> object:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}
        repeated = list(_repeated_keys(node, (), set()))
        if repeated:
            raise ConfigurationError(repeated)
        document: object = loader.construct_document(node)
        return document
    finally:
        loader.dispose()


def expand(document: object, environ: Mapping[str, str]) -> Expanded:
    """Fills `${VAR}` and `${VAR:-default}` into every value that is text; `$${` stands for `${`.

    A default also stands in for a variable that is set but empty, as in a shell. What comes from the environment is
    not expanded again. A variable that is unset and has no default is empty, with a warning.

    Raises:
        ConfigurationError: `${` without a variable's name or a closing brace; nesting beyond 64.
    """
    warnings: list[str] = []
    errors: list[str] = []

    def text(value: str, path: KeyPath) -> str:
        return _REFERENCE.sub(lambda match: _filled(match, environ, path, warnings, errors), value)

    expanded = _walk(document, (), text)
    if errors:
        raise ConfigurationError(errors)
    return Expanded(expanded, tuple(warnings))


def _filled(
    match: re.Match[str], environ: Mapping[str, str], path: KeyPath, warnings: list[str], errors: list[str]
) -> str:
    if match["escape"]:
        return match[0][1:]
    inside = _INSIDE.fullmatch(match["inside"])
    if inside is None or not match[0].endswith("}"):
        # What was found may be the rest of a secret.
        errors.append(f"{spell_path(path)}: expected ${{VARIABLE}} or ${{VARIABLE:-default}} wherever ${{ stands")
        return ""
    value, default = environ.get(inside["name"]), inside["default"]
    if default is not None:
        return value or default
    if value is None:
        warnings.append(f"{spell_path(path)}: the environment variable {inside['name']} is not set; read as empty")
    return value or ""


def _walk(value: object, path: KeyPath, text: Callable[[str, KeyPath], str]) -> object:
    if len(path) > MAX_DEPTH:
        raise ConfigurationError([f"{spell_path(path[:3])}: nested more than {MAX_DEPTH} deep"])
    match value:
        case str():
            return text(value, path)
        case dict():
            return {key: _walk(item, (*path, str(key)), text) for key, item in value.items()}
        case list():
            return [_walk(item, (*path, index), text) for index, item in enumerate(value)]
        case _:
            return value


def _repeated_keys(node: yaml.Node, path: KeyPath, seen: set[int]) -> Iterator[str]:
    """One line for each key that a mapping has twice. `<<` may repeat; a node that is used again is read once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_keys(item, (*path, index), seen)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        entry, line = (key.tag, str(key.value)), key.start_mark.line + 1
        where = (*path, entry[1])
        if entry in lines and key.tag != _MERGE_TAG:
            yield f"{spell_path(where)}: given twice, in lines {lines[entry]} and {line}"
        lines.setdefault(entry, line)
        yield from _repeated_keys(value, where, seen)


def _in_one_line(error: yaml.YAMLError, source: str) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        said = _without_pieces(error.problem or error.context or "")
        return f"{source}:{mark.line + 1}:{mark.column + 1}: not valid YAML: {said}"
    return f"{source}: not valid YAML: {_without_pieces(str(error).splitlines()[0])}"


def _without_pieces(problem: str) -> str:
    """Without pieces of the file: a secret that stands there without quotes may be taken for a tag or an alias."""
    return _QUOTED.sub(lambda match: match["own"] or "(not shown, as it may be secret)", problem)
