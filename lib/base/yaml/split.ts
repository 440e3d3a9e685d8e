/** Cuts a file into documents where kubeadm does: at lines that start with `---`. */

export interface Part {
  readonly text: string
  /** The same as it stands in the file, with its own line ends. */
  readonly source: string
  /** Line of the file, from 1, that `text` starts in. */
  readonly line: number
  /** What follows the `---` that ends this part, when something does that is not a comment; kubeadm refuses that. */
  readonly junk?: string
}

/**
 * The parts of a file, in order; none for an empty file. The first `---` of a file belongs to the part it opens.
 * Source: apimachinery util/yaml YAMLReader (v1.36).
 */
export function splitDocuments(text: string): readonly Part[] {
  const whole = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const lines = whole.map(line => line.replace(/\r?\n$/, ''))
  const parts: Part[] = []
  let start = 0
  const end = (index: number, junk?: string): void => {
    if (index > start || junk !== undefined) {
      const body = lines.slice(start, index).map(line => `${line}\n`)
      const source = whole.slice(start, index).join('')
      parts.push({ text: body.join(''), source, line: start + 1, ...(junk === undefined ? {} : { junk }) })
    }
  }
  lines.forEach((line, index) => {
    if (line.startsWith('---')) {
      const rest = line.slice(3).trim()
      end(index, rest === '' || rest.startsWith('#') ? undefined : rest)
      start = index > start ? index + 1 : start
    }
  })
  end(lines.length)
  return parts
}
