/** What an action writes for its runner: commands in its log, and files. Written after GitHub's documentation of both. */

export interface Command {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly value: string
}

/** `::name key=value,key=value::value`, or the older `##[name key=value;]value` anywhere; undefined for a line that is not a command. */
export function readCommand(line: string): Command | undefined {
  const [, name = '', properties = '', value = ''] =
    /^\s*::([\w-]+)(?: ([^:]*))?::(.*)$/s.exec(line) ?? /##\[([\w-]+)(?: ([^\]]*))?\](.*)$/s.exec(line) ?? []
  if (name === '') return undefined
  const pairs = properties.split(',').filter(pair => pair.includes('='))
  return {
    name,
    properties: Object.fromEntries(
      pairs.map(pair => [pair.slice(0, pair.indexOf('=')), unescaped(pair.slice(pair.indexOf('=') + 1))]),
    ),
    value: unescaped(value),
  }
}

function unescaped(text: string): string {
  return text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')
}

/** The content of GITHUB_OUTPUT, GITHUB_ENV or GITHUB_STATE: `name=value`, or `name<<END`, lines, `END`. */
export function readPairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {}
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const [, heredoc, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? []
    if (heredoc !== undefined && delimiter !== undefined) {
      const end = lines.indexOf(delimiter, at + 1)
      pairs[heredoc] = lines.slice(at + 1, end).join('\n')
      at = end
    } else if (line.includes('=')) {
      pairs[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
    }
  }
  return pairs
}
