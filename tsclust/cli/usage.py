"""A command line that cannot be read -> the value, what was expected and the next step, as of every other error."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tsclust.cli.problem import Problem

_EXTRA = re.compile(r"unexpected extra argument\S* \((?P<words>.*)\)", re.DOTALL)
_COMMAND = re.compile(r"No such command '(?P<word>.*?)'", re.DOTALL)
_ONE_OF = re.compile(r"'(?P<value>.*)' is not one of (?P<known>.*)", re.DOTALL)
_INPUT = re.compile(r"Input should be (?P<expected>.*?)(, unable.*)?$")


def is_help(error: Any) -> bool:
    """Whether nothing is wrong but that there was no command, so that the help is shown."""
    return type(error).__name__ == "NoArgsIsHelpError"


def problem_of(error: Any, ctx: Any = None) -> Problem:
    """From an error of the library that reads command lines. ctx: of the whole of it, where the error has none."""
    path = error.ctx.command_path if error.ctx else f"tsclust {getattr(ctx, 'invoked_subcommand', None) or ''}".strip()
    what, step = _explained(error, path)
    return Problem(error.exit_code, *map(_printable, (what, step or f"See the options: {path} --help")))


def _printable(text: str) -> str:
    """On one line, and with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _explained(error: Any, path: str) -> tuple[str, str]:
    """What is wrong and what to do about it, "" for no more than to read the help."""
    message = error.message.rstrip(".")
    if is_help(error):
        return "no command: expected one", f"See the commands: {path} --help"
    if hasattr(error, "possibilities"):
        return f"{error.option_name}: no such option of {path}{_meant(error.option_name, error.possibilities)}", ""
    if extra := _EXTRA.search(message):
        return _too_many(extra["words"], error.ctx, path)
    if command := _COMMAND.search(message):
        known = error.ctx.command.list_commands(error.ctx)
        found = f"{command['word']}: no such command of {path}{_meant(command['word'], known)}"
        return found, f"See the commands: {path} --help"
    if hasattr(error, "param_type"):
        return f"{_name(error).upper()} is missing: expected a value", ""
    if hasattr(error, "param_hint"):
        return _of_value(error, message), ""
    if hasattr(error, "option_name"):
        return f"{error.option_name}: expected {'no' if 'not take' in message else 'a'} value", ""
    return message[:1].lower() + message[1:], ""


def _meant(word: str, known: Any) -> str:
    near = get_close_matches(word, sorted(known or ()), 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _too_many(words: str, ctx: Any, path: str) -> tuple[str, str]:
    """Arguments that a command has no place for: a single one is mostly the workspace, or a file to read."""
    options = {name: param.name for param in ctx.command.params for name in param.opts}
    taken = sum(param.param_type_name == "argument" for param in ctx.command.params)
    expected = f"expected at most {taken}" if taken else "expected only options"
    found = f"unexpected argument{'s' if ' ' in words else ''} {words}: {expected}"
    if taken or " " in words:
        return found, ""
    if "--from" in options and (Path(words).is_file() or "://" in words):
        return found, f"Name files with --from: {path} --from {words}"
    free = "-w" in options and ctx.get_parameter_source(options["-w"]).name.startswith("DEFAULT")
    return found, f"Name the workspace with -w: {path} -w {words}" if free else ""


def _of_value(error: Any, message: str) -> str:
    """`--kind bad: expected groups or features`."""
    name = _name(error)
    if choice := _ONE_OF.search(message):
        *some, last = choice["known"].replace("'", "").split(", ")
        return f"{name} {choice['value']}: expected {' or '.join([', '.join(some), last] if some else [last])}"
    value = _value_of(error)
    if (said := _INPUT.search(message)) and (expected := said["expected"].replace("a valid integer", "a whole number")):
        return f"{name}{value}: expected {expected.replace('valid ', '')}"
    return f"{name}{value}: {message.removeprefix('Value error, ')}"


def _name(error: Any) -> str:
    """The long name of an option, or that of an argument."""
    return max(error.param.opts, key=len) if error.param else "a value"


def _value_of(error: Any) -> str:
    """As it was given, behind a space; "" where the error does not know it."""
    cause = error.__cause__
    found = cause.errors() if hasattr(cause, "errors") else []
    return f" {found[0]['input']}" if found else ""
