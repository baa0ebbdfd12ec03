// completion: scripts for bash, zsh and fish, made from the commands themselves.

import { Argument, type Command } from "commander"
import { action, type Globals } from "./context.ts"

interface Word {
  readonly word: string
  readonly about: string
}

const words = (command: Command): readonly Word[] => {
  const flags = command.options.filter(({ long, hidden }) => long && !hidden)
  return flags.map(({ long, description }) => ({ word: long as string, about: description }))
}

const commandsOf = (program: Command): readonly Command[] => [...program.commands]
const list = (items: readonly Word[]): string => items.map(({ word }) => word).join(" ")
const quote = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`

/** Names of identities, for `--as` and names of peers. */
const NAMES = `ls "\${AGENTMESH_HOME:-\${XDG_DATA_HOME:-$HOME/.local/share}/agentmesh}/agents" 2>/dev/null`

function bash(program: Command): string {
  const global = words(program)
  const cases = commandsOf(program).map((command) => {
    return `    ${command.name()}) words="${list([...words(command), ...global])}" ;;`
  })
  return `# agentmesh completion for bash: source <(agentmesh completion bash)
_agentmesh() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words="" i
  if [[ "$previous" == "--as" ]]; then
    COMPREPLY=($(compgen -W "$(${NAMES})" -- "$current")); return
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
${cases.map((line) => `  ${line}`).join("\n")}
    esac
    [[ -n "$words" ]] && break
  done
  [[ -z "$words" ]] && words="${commandsOf(program)
    .map((one) => one.name())
    .join(" ")} ${list(global)}"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ "\${#COMPREPLY[@]}" -eq 0 && "$current" != -* ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _agentmesh agentmesh
`
}

function zsh(program: Command): string {
  const describe = (items: readonly Word[]): string =>
    items.map(({ word, about }) => quote(`${word}:${about.replace(/:/g, ",")}`)).join(" ")
  const commands = commandsOf(program).map((one) => ({
    word: one.name(),
    about: one.description(),
  }))
  const cases = commandsOf(program).map((command) => {
    return `    ${command.name()}) options=(${describe([...words(command), ...words(program)])}) ;;`
  })
  return `#compdef agentmesh
# agentmesh completion for zsh: agentmesh completion zsh > a directory of $fpath, as _agentmesh
_agentmesh() {
  local -a commands options
  local word
  commands=(${describe(commands)})
  if [[ "\${words[CURRENT-1]}" == "--as" ]]; then
    compadd -- $(${NAMES}); return
  fi
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in
${cases.map((line) => `  ${line}`).join("\n")}
    esac
    (( \${#options} )) && break
  done
  if (( \${#options} )); then
    [[ "\${words[CURRENT]}" == -* ]] && _describe option options || _files
  else
    options=(${describe(words(program))})
    [[ "\${words[CURRENT]}" == -* ]] && _describe option options || _describe command commands
  fi
}
if [[ "$funcstack[1]" == "_agentmesh" ]]; then _agentmesh "$@"; else compdef _agentmesh agentmesh; fi
`
}

function fish(program: Command): string {
  const flag = ({ word, about }: Word, condition: string): string => {
    return `complete -c agentmesh ${condition}-l ${word.slice(2)} -d ${quote(about)}`
  }
  const lines = commandsOf(program).flatMap((command) => {
    const name = command.name()
    const head = `complete -c agentmesh -n __fish_use_subcommand -a ${name} -d ${quote(command.description())}`
    const seen = `-n '__fish_seen_subcommand_from ${name}' `
    return [head, ...words(command).map((word) => flag(word, seen))]
  })
  return [
    "# agentmesh completion for fish: agentmesh completion fish | source",
    ...words(program).map((word) => flag(word, "")),
    `complete -c agentmesh -l as -xa ${quote(`(sh -c ${quote(NAMES)})`)}`,
    ...lines,
    "",
  ].join("\n")
}

const SHELLS: Readonly<Record<string, (program: Command) => string>> = { bash, zsh, fish }

/** Adds the command; it completes what the program has by then. */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .action(
      action<Globals>(async ({ output }, [shell = ""]) => {
        const script = SHELLS[shell]?.(program) ?? ""
        output.result({ shell, script }, script.trimEnd())
      }),
    )
}
