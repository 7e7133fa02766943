"""Completion scripts for shells, written from the commands' own arguments: they start nothing."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.management import get_commands, load_command_class

Scripts = Callable[[list["Words"]], str]


@dataclass
class Words:
    """What may follow a command: steps such as `config plan`, options, values of options."""

    name: str
    help: str = ""
    options: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    steps: list["Words"] = field(default_factory=list)

    def flat(self, before: str = "") -> "list[tuple[str, Words]]":
        name = f"{before} {self.name}".strip()
        return [(name, self), *(pair for step in self.steps for pair in step.flat(name))]


def all_words() -> list[Words]:
    """Of Django's own commands only the names: nobody needs them every day."""
    found = []
    for name, app in sorted(get_commands().items()):
        if str(app).startswith("django."):
            found.append(Words(name))
            continue
        command = load_command_class(str(app), name)
        parser = command.create_parser("manage.py", name)
        words = _words_of(name, parser)
        words.help = _first_sentence(command.help)
        found.append(words)
    return found


def _words_of(name: str, parser: argparse.ArgumentParser) -> Words:
    words = Words(name)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                step = _words_of(choice.dest, action.choices[choice.dest])
                step.help = _first_sentence(choice.help or "")
                words.steps.append(step)
        elif action.option_strings and action.help != argparse.SUPPRESS:
            option = action.option_strings[-1]
            if option not in _OF_DJANGO:
                words.options[option] = _first_sentence(action.help or "")
            if action.choices is not None:
                words.choices[option] = [str(choice) for choice in action.choices]
        elif action.choices is not None:
            words.choices[""] = [str(choice) for choice in action.choices]
    return words


_OF_DJANGO = {
    "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color",
    "--force-color", "--skip-checks",
}  # fmt: skip


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".")


def bash(words: list[Words]) -> str:
    cases, values = [], []
    for name, one in (pair for top in words for pair in top.flat()):
        offered = [*(step.name for step in one.steps), *one.choices.get("", []), *one.options]
        cases.append(f'        "{name}") words="{" ".join(offered)}" ;;')
        values += [
            f'        "{name} {option}") words="{" ".join(choices)}" ;;'
            for option, choices in one.choices.items()
            if option
        ]
    with_steps = " ".join(top.name for top in words if top.steps)
    return "\n".join(
        [
            "_segue_manage() {",
            '    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
            '    local command="${COMP_WORDS[1]}" words=""',
            f'    case " {with_steps} " in *" $command "*)',
            '        [ "$COMP_CWORD" -gt 2 ] && command="$command ${COMP_WORDS[2]}" ;;',
            "    esac",
            '    if [ "$COMP_CWORD" -eq 1 ]; then',
            f'        words="{" ".join(top.name for top in words)}"',
            "    else",
            '        case "$command" in',
            *cases,
            "        esac",
            '        case "$command $before" in',
            *values,
            "        esac",
            "    fi",
            '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
            "}",
            "complete -o default -o bashdefault -F _segue_manage manage.py ./manage.py",
            "",
        ]
    )


def zsh(words: list[Words]) -> str:
    loads = [f"autoload -U +X {name} && {name}" for name in ("compinit", "bashcompinit")]
    return "\n".join([*loads, bash(words)])


def fish(words: list[Words]) -> str:
    lines = []
    for top in words:
        lines.append(
            "complete -c manage.py -n __fish_use_subcommand -f"
            f" -a {top.name} -d {_quoted(top.help)}"
        )
        for name, one in top.flat():
            seen = " and ".join(f"__fish_seen_subcommand_from {part}" for part in name.split())
            for step in one.steps:
                lines.append(
                    f"complete -c manage.py -n {_quoted(seen)} -a {step.name}"
                    f" -d {_quoted(step.help)}"
                )
            lines += [
                f"complete -c manage.py -n {_quoted(seen)} -a {choice}"
                for choice in one.choices.get("", [])
            ]
            for option, told in one.options.items():
                choices = one.choices.get(option)
                values = f" -x -a {_quoted(' '.join(choices))}" if choices else ""
                flag = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
                lines.append(
                    f"complete -c manage.py -n {_quoted(seen)} {flag} -d {_quoted(told)}{values}"
                )
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS: dict[str, Scripts] = {"bash": bash, "zsh": zsh, "fish": fish}
