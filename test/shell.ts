/** Commands of shell blocks in documents: enough of the shell's grammar to find out what is called with what. */

/** The words of every command of a block: continued lines joined, comments, redirections and `sudo` left out. */
export function shellCommands(block: string): string[][] {
  return block
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap(line => commandsOf(wordsOf(line)))
    .map(withoutPrefix)
    .filter(words => words.length > 0)
}

const SEPARATORS = ['|', '&&', '||', ';', '(', ')']

/** Words and separators of a line; quotes are taken away. */
export function wordsOf(line: string): string[] {
  const words: string[] = []
  for (const [all, double, single, separator, comment] of line.matchAll(
    /(?:[^\s"'|&;()]*"([^"]*)"\S*)|(?:[^\s"'|&;()]*'([^']*)'\S*)|(\|\||&&|[|;()])|(?:(?<=^|\s)(#).*)|[^\s|&;()]+/g,
  )) {
    if (comment !== undefined) break
    words.push(separator ?? (double === undefined && single === undefined ? all : all.replace(/["']/g, '')))
  }
  return words
}

function commandsOf(words: readonly string[]): string[][] {
  const commands: string[][] = [[]]
  for (const [index, word] of words.entries()) {
    if (SEPARATORS.includes(word)) commands.push([])
    else if (!/^\d?[<>]/.test(word) && !/^\d?[<>]+$/.test(words[index - 1] ?? '')) commands.at(-1)?.push(word)
  }
  return commands
}

/** Without `sudo`, `env` and variables before the command. */
function withoutPrefix(words: readonly string[]): string[] {
  const first = words.findIndex(word => !/^(?:sudo|env|time|if|then|!|[A-Za-z_]\w*=.*)$/.test(word))
  return first === -1 ? [] : words.slice(first)
}

export interface OwnCommand {
  /** Of the script, e.g. `init`. */
  readonly name: string
  readonly args: readonly string[]
}

/** What a command calls of ours, in each of the forms that users type; undefined for any other. */
export function ownCommand(words: readonly string[]): OwnCommand | undefined {
  const forms: readonly (readonly [start: readonly string[], path: RegExp])[] = [
    [['npx', 'zx'], /^scripts\/([\w-]+)\.mts$/],
    [['node'], /^dist\/([\w-]+)\.mjs$/],
    [['bun'], /^dist\/([\w-]+)\.mjs$/],
    [['deno', 'run', '-A'], /^dist\/([\w-]+)\.mjs$/],
  ]
  for (const [start, path] of forms) {
    const name = path.exec(words[start.length] ?? '')?.[1]
    if (name !== undefined && start.every((word, index) => words[index] === word)) {
      return { name, args: words.slice(start.length + 1) }
    }
  }
  return undefined
}
