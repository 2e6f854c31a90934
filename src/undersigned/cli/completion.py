"""Print the script with which a shell completes commands.

Example: undersigned completion bash >> ~/.bashrc

The script asks the command that was typed, by path or by name, what fits (``main`` answers, by the
protocol of ``click.shell_completion``), so it needs no change when verbs or options change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

from undersigned.cli.output import emit, json_option

BASH: Final = r"""
_undersigned_completion() {
    local line=${COMP_LINE:0:COMP_POINT} kind value
    local word=${line##*[[:space:]]} breaks=${COMP_WORDBREAKS//[^:=]/} before=
    # What is before the last character at which bash splits a word stays as it is.
    [[ $breaks ]] && before=${word%"${word##*[$breaks]}"}
    COMPREPLY=()
    while IFS=, read -r kind value; do
        value=${value%%$'\t'*}
        case $kind in
        dir) compopt -o dirnames ;;
        file) compopt -o default ;;
        plain) COMPREPLY+=("${value#"$before"}") ;;
        esac
    done < <(env COMP_WORDS="$line" COMP_CWORD="$word" _UNDERSIGNED_COMPLETE=fish_complete \
        "${1/#\~/$HOME}" 2>/dev/null)
}
complete -o nosort -F _undersigned_completion undersigned
"""
"""WHY the protocol of fish: it takes the line as it was typed, and bash's takes split words."""

ZSH: Final = r"""
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_undersigned_completion() {
    local kind value meaning
    local -a answer plain described
    answer=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \
        _UNDERSIGNED_COMPLETE=zsh_complete ${~words[1]} 2>/dev/null)}")
    [[ $words[CURRENT] == --*=* ]] && compset -P '*='
    for kind value meaning in "${answer[@]}"; do
        case $kind in
        dir) _path_files -/ ;;
        file) _path_files -f ;;
        plain)
            [[ $meaning == _ ]] && plain+=("$value") || described+=("$value:$meaning") ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -M 'm:{a-z}={A-Z}'
    (( $#plain )) && compadd -V unsorted -a plain
}
compdef _undersigned_completion undersigned
"""

FISH: Final = r"""
function __undersigned_completion
    set -l typed (string replace -r '^~/' $HOME/ -- (commandline -opc))
    set -l before (string match -r -- '^--[^=]*=' (commandline -ct); or echo)
    for line in (env COMP_WORDS=(commandline -cp | string collect) COMP_CWORD=(commandline -ct) \
            _UNDERSIGNED_COMPLETE=fish_complete $typed[1] 2>/dev/null)
        set -l answer (string split -m 1 , -- $line)
        switch $answer[1]
            case dir
                printf "$before%s\n" (__fish_complete_directories $answer[2])
            case file
                printf "$before%s\n" (__fish_complete_path $answer[2])
            case plain
                echo $before$answer[2]
        end
    end
end
complete --no-files --command undersigned --arguments "(__undersigned_completion)"
"""

SCRIPTS: Final[Mapping[str, str]] = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""The script of each shell."""


@click.command()
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
@json_option
def command(shell: str, as_json: bool) -> int:
    """Print the script that completes verbs, options and their values in SHELL.

    Append it to the file that your shell reads at its start, then open a new shell (bash: 4.4 or
    newer):

    \b
      bash  undersigned completion bash >> ~/.bashrc
      zsh   undersigned completion zsh >> ~/.zshrc
      fish  undersigned completion fish >> ~/.config/fish/config.fish
    """
    script = SCRIPTS[shell].lstrip("\n")
    return emit({"shell": shell, "script": script}, as_json=as_json, text=script)
