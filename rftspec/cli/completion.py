"""`rftspec completion`: the script by which a shell completes verbs, options and their values."""

from __future__ import annotations

import click

from rftspec.cli import console
from rftspec.cli.spec import JSON

SHELLS = {
    "bash": 'eval "$(rftspec completion bash)"   # in ~/.bashrc; bash 4.4 or newer',
    "zsh": 'eval "$(rftspec completion zsh)"   # in ~/.zshrc, after compinit',
    "fish": "rftspec completion fish > ~/.config/fish/completions/rftspec.fish",
    "powershell": "rftspec completion powershell | Out-String | Invoke-Expression   # in $PROFILE",
}


@click.command(short_help="The script that completes rftspec's words in a shell.")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@JSON
def completion(shell: str, as_json: bool) -> int:
    """Give the completion script of a shell: verbs, options, runs, specs, fields, topics.

    \b
    eval "$(rftspec completion bash)"           in ~/.bashrc
    eval "$(rftspec completion zsh)"            in ~/.zshrc, after compinit
    rftspec completion fish > ~/.config/fish/completions/rftspec.fish
    rftspec completion powershell | Out-String | Invoke-Expression    in $PROFILE
    """
    from rftspec.cli.completing import script_of

    script = script_of(click.get_current_context().find_root().command, shell)
    if as_json:
        content = {"shell": shell, "script": script, "use": SHELLS[shell]}
        console.say_json({"format": "rftspec.completion/1", **content})
    else:
        console.give(script.rstrip("\n"))
    return 0
