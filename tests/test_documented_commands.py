"""What the documents tell users to type: commands, options, paths and imports that exist."""

import argparse
import ast
import contextlib
import importlib
import io
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from dsiam_plugin.commands import forward
from dsiam_plugin.commands.main import build_parser, main

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
PROGRAMS = ("dsiam", "python", "make", "pip", "torchrun")
MODULES = {  # what `python -m` starts, and the words of `dsiam` that are the same
    "dsiam_plugin": (),
    "dsiam_plugin.training": ("train",),
    **{f"toolkit.bin.{name}": (name,) for name in ("test", "eval", "prepare", "convert")},
}
# Modules with the parsers of forwarded commands, where it is not the command's own.
PARSERS = {"test": "run_options", "eval": "eval_options"}
FOLDERS = (
    "benchmarks dsiam_plugin docs examples tests toolkit toolkit_configs vot_workspace".split()
)
# Need no data and no time, so they are run.
QUICK = ("dsiam list", "dsiam list --yaml NAME", "dsiam weights info", "dsiam --help")


class Command(NamedTuple):
    """A command of a page.

    Attributes:
        text: As it is written.
        words: Without the shell's comments; `dsiam` and its words for `python -m`.
        complete: It stands in a block, with nothing left out.
    """

    text: str
    words: list[str]
    complete: bool


def commands():
    """Every command of every page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for language, block in FENCED.findall(text):
            if language in ("", "sh", "bash"):
                for line in block.replace("\\\n", " ").splitlines():
                    yield from parts(line.removeprefix("$ "), "..." not in line)
        for code in re.findall(r"`([^`\n]+)`", FENCED.sub("", text)):
            yield from parts(code, False)


def parts(line, complete):
    for text in line.split(" && "):
        words = text.split(" ")
        if words[0] in PROGRAMS and not words[-1].endswith(":") and ": error:" not in text:
            words = shlex.split(text.replace(".*", ".test"), comments=True)
            if words[:2] == ["python", "-m"] and words[2] in MODULES:
                words = ["dsiam", *MODULES[words[2]], *words[3:]]
            yield Command(text, [word.strip("[]") for word in words if word != "..."], complete)


COMMANDS = list(commands())


def parser_of(words):
    """The parser of a command's arguments, and those arguments; None for an unknown command."""
    found = forward.target(words)
    if found:
        module, left = found
        last = module.rpartition(".")[2]
        home = f"dsiam_plugin.commands.{PARSERS.get(last, last)}"
        parser = importlib.import_module(home).build_parser()
    else:
        parser, left = build_parser(), words
    while left and (choices := subcommands(parser)):
        if left[0].startswith("-"):
            break
        if left[0] not in choices:
            return None, left
        parser, left = choices[left[0]], left[1:]
    return parser, left


def subcommands(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def of(program):
    """Commands of a program, each with its words behind the program's name."""
    return [(command, command.words[1:]) for command in COMMANDS if command.words[0] == program]


def test_the_pages_hold_commands():
    assert len(of("dsiam")) > 60
    assert len(of("make")) > 3


def test_options_of_dsiam_exist():
    wrong = []
    for command, words in of("dsiam"):
        parser, left = parser_of(words)
        known = parser._option_string_actions if parser else ()
        options = {word.partition("=")[0] for word in left if re.match(r"--?[a-z]", word)}
        if parser is None or options - set(known):
            wrong.append(command.text)
    assert wrong == []


def test_whole_commands_of_dsiam_are_understood():
    wrong = []
    for command, words in of("dsiam"):
        if command.complete:
            parser, left = parser_of(words)
            with contextlib.redirect_stderr(io.StringIO()) as said:
                try:
                    parser.parse_args(left)
                except SystemExit:
                    wrong.append((command.text, said.getvalue()[-200:]))
    assert wrong == []


@pytest.mark.parametrize("text", ["dsiam trak a.mp4", "dsiam track a.mp4 --no-such"])
def test_a_wrong_command_would_be_seen(text):
    (command,) = parts(text, True)
    parser, left = parser_of(command.words[1:])
    assert parser is None or left[1] not in parser._option_string_actions


@pytest.mark.parametrize("text", QUICK)
def test_quick_commands_run(text, capsys, monkeypatch):
    assert any(command.text == text for command in COMMANDS)
    monkeypatch.delenv("DSIAM_WEIGHTS", raising=False)
    try:
        status = main(text.replace("NAME", "DSiamM").split()[1:])
    except SystemExit as end:
        status = end.code
    assert not status
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_targets_and_variables_of_make_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wrong = [
        command.text
        for command, words in of("make")
        for word in words
        if not re.search(
            rf"^{word.partition('=')[0]} \?=" if "=" in word else rf"^{word}:", makefile, re.M
        )
    ]
    assert wrong == []


def test_scripts_and_modules_of_python_exist_and_know_their_options():
    wrong = []
    for command, words in of("python"):
        script = words[0]
        if script == "-m":
            script = words[1].replace(".", "/") + ".py"
        if script in ("pytest.py", "pre_commit.py", "setup.py"):  # not ours
            continue
        text = (ROOT / script).read_text(encoding="utf-8") if (ROOT / script).is_file() else ""
        options = [word for word in words[1:] if word.startswith("--")]
        if not text or any(f'"{option}"' not in text for option in options):
            wrong.append(command.text)
    assert wrong == []


def test_extras_of_pip_exist():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    known = set(re.findall(r"^(\w+) = \[", section, re.M))
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = re.findall(r"(?:dsiam-plugin|'\.)\[([\w,]+)\]", pages)
    assert named
    assert {extra for group in named for extra in group.split(",")} - known == set()


def test_paths_exist():
    # Not those that a command of the page writes.
    pattern = re.compile(rf"(?<![\w/.-])(?<!> )((?:{'|'.join(FOLDERS)})/[\w./-]*\w)")
    made = re.compile(r"vot_workspace/(sequences|reports|results|cache)")  # by a command
    wrong = [
        (page.name, path)
        for page in PAGES
        for path in pattern.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / path).exists() and not made.match(path)
    ]
    assert wrong == []


def test_every_page_is_in_the_contents():
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f"- {page}" not in site and page != "index.md"] == []
    linked = [page for page in pages if "/" not in page and page != "index.md"]
    assert [page for page in linked if f"]({page})" not in contents] == []


def test_names_of_modules_and_what_is_in_them_exist():
    wrong = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name in set(re.findall(r"(?<![\w./])((?:dsiam_plugin|toolkit)(?:\.\w+)+)", text)):
            if not exists(name):
                wrong.append((page.name, name))
    assert wrong == []


def exists(name):
    """True for a module, and for what a module defines or hands on."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, _, last = name.rpartition(".")
    homes = (
        ROOT / f"{module.replace('.', '/')}.py",
        ROOT / module.replace(".", "/") / "__init__.py",
    )
    return any(last in home.read_text(encoding="utf-8") for home in homes if home.is_file())


def test_python_of_the_pages_compiles_and_its_imports_exist():
    wrong = []
    for page in PAGES:
        for language, block in FENCED.findall(page.read_text(encoding="utf-8")):
            if language != "python":
                continue
            for node in ast.walk(ast.parse(block, page.name)):
                module = node.module if isinstance(node, ast.ImportFrom) else ""
                if module.startswith(("dsiam_plugin", "toolkit")):
                    names = [f"{module}.{alias.name}" for alias in node.names]
                    wrong += [(page.name, name) for name in names if not exists(name)]
    assert wrong == []


def test_variables_of_the_environment_are_read_somewhere():
    files = [*(ROOT / "dsiam_plugin").rglob("*.py"), ROOT / "setup.py", ROOT / "tests/conftest.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    named = {
        name for page in PAGES for name in re.findall(r"DSIAM_[A-Z]+", page.read_text("utf-8"))
    }
    assert len(named) > 5
    assert {name for name in named if name not in code} == set()
