/** What secrets look like in texts, and where they stand: the rows that the mask goes by. */

/** Part of a text, and what comes in its place. */
export type Shape = readonly [pattern: RegExp, replacement: string]

/** Ends of the names of fields, flags, headers and variables whose values are secret. */
const NAMES = [
  'client-key-data|client-certificate-data|certificate-authority-data',
  'token|passw(?:or)?d|passphrase|(?<![a-z])pass|[-_]pwd|secret|jwt|cookie|credentials?',
  'secret[-_.]?(?:access[-_]?)?key|access[-_]?key(?:[-_]?id)?|api[-_]?key|private[-_]?key',
  '(?:certificate|encryption|account|shared|signing|master)[-_]?key',
  // As a whole word: authorization-mode is none. npm writes _auth.
  '(?<![\\w-])_?auth|(?:registry|proxy)[-_]?auth',
].join('|')

/** Several of one kind: `tokens = ["a", "b"]`. */
const NAME = `(?:${NAMES})s?`

/** Whether what has this name is secret. */
export function isSecretName(name: string): boolean {
  return new RegExp(`${NAME}$`, 'i').test(name)
}

/** Backslashes: JSON inside a log line has its quotes escaped, once or more. */
const QUOTE = `\\\\*["']`
const KEY_END = `(?:${QUOTE})?`

/**
 * Values in quotes, up to the same quotes; blanks and escaped quotes belong to them. An end that was cut off is the end
 * of the line.
 */
const QUOTED: readonly (readonly [opening: string, rest: string])[] = [
  [`"""|'''`, `[\\s\\S]{0,8192}?(?="""|''')`],
  [`(?<open>\\\\+["'])`, `(?:(?!(?<!\\\\)\\k<open>)[^\\n])*`],
  ['"', `(?:[^"\\\\\\n]|\\\\[\\s\\S])*`],
  [`'`, `(?:[^'\\n]|'')*`],
]

/** A word without quotes. One that opens a structure is no value, nor is a switch, nor what stands for a value in help. */
const WORD = `(?!(?:true|false|null|nil|none|TOKEN|KEY|VALUE)\\b(?![\\w.-]))(?:(?!${QUOTE})[^\\s<({[])(?:(?!${QUOTE})\\S)*`

/** Words of sentences that may follow a name: "use --token to", "the password is". */
const SENTENCE = '(?!(?:a|again|an|and|as|at|by|for|from|has|in|is|must|needs|of|on|or|that|the|to|was|which|with)\\b)'

const MASKED = '<masked>'

/** Secrets that show what they are by themselves. */
const BARE: readonly Shape[] = [
  // PEM in base64, as kubeconfigs and Secrets hold it: "-----BEGIN " and what follows.
  [/\bLS0tLS1CRUdJTi[A-Za-z0-9+/]+=*/g, '<masked PEM>'],
  // Keys as DER in base64: RSA, then the outer parts of PKCS#8 and SEC 1.
  [/\bM[A-Za-z0-9+/]{2,7}(?:IBAAK|IBADA|AgEAM|CAQEE)[A-Za-z0-9+/]{16,}=*/g, '<masked key>'],
  // JSON web tokens of service accounts; JSON in base64, as logins of registries are kept.
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<masked token>'],
  [/\beyJ[\w+/-]{16,}=*/g, '<masked token>'],
  // Bootstrap tokens: the part before the dot is public.
  [/\b([a-z0-9]{6})\.[a-z0-9]{16}\b/g, `$1.${MASKED}`],
  // Tokens of services: GitHub, GitLab, Slack, npm, PyPI, Docker, Vault, Google, Amazon, Hugging Face, age.
  [/\b(gh[pousr]_|github_pat_|gl[a-z]{2,6}-|xox[abeoprs]-|npm_|pypi-|dckr_[a-z]+_)[\w-]{6,}/g, `$1${MASKED}`],
  [/\b(hv[sbr]\.|ya29\.|AIza|A[KS]IA|hf_|sk-|sk_live_|AGE-SECRET-KEY-)[\w-]{12,}/g, `$1${MASKED}`],
  // Signatures in addresses that stand for a login.
  [/([?&](?:sig|x-(?:amz|goog)-(?:signature|credential|security-token))=)[^\s"'&]+/gi, `$1${MASKED}`],
  [
    /\b((?:proxy-)?authorization\\*["']?[ \t]*[:=][ \t]*(?:\[[ \t]*)?\\*["']?)(?!(?:\w+ +)?<masked>)(\w+ +)?[^\s"'\\,\]]+/gi,
    `$1$2${MASKED}`,
  ],
  [/\b(Bearer|Basic) +(?=[\w.~+/=-]*[\d.=])[\w.~+/=-]+/g, `$1 ${MASKED}`],
  [/\b(Bearer) +(?!tokens?\b|auth|is\b)[\w.~+/=-]{6,}/g, `$1 ${MASKED}`],
  // User and password in an address, such as a proxy's, which may have any sign in it; "host:port/" is none, and a digest
  // behind an image's name is no host.
  [/\b([a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/"'\\:@]{0,256}:(?!\d{1,5}\/)[^\s"'\\]{1,4096}@(?!sha256:)/gi, `$1${MASKED}@`],
  [/\b([a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/"'\\]{1,4096}@(?!sha256:)/gi, `$1${MASKED}@`],
  // A proxy may be written without its scheme.
  [/(_?proxy\\*["']?\s*[:=]\s*\\*["']?)(?![^\s"'\\]*:\/\/)[^\s"'\\]+@/gi, `$1${MASKED}@`],
]

/** What stands before a value. */
const BEFORE = {
  // name: value, name=value, "name": "value", name = ["value"
  field: `${NAME}${KEY_END}\\s*[:=]\\s*`,
  // --name value, "--name", "value"
  flag: `(?<![\\w-])--?[\\w-]*?${NAME}(?:${QUOTE}\\s*,\\s*|[ \\t]+|\\s+-[ \\t]+)`,
  // A variable of a container: name, then value.
  variable: `\\b(?:name|key)${KEY_END}\\s*[:=]\\s*${KEY_END}[\\w.-]*${NAME}${KEY_END},?\\s*${KEY_END}value${KEY_END}\\s*[:=]\\s*`,
} as const

function shape(before: string, value: string, flags = 'gi'): Shape {
  return [new RegExp(`(${before})${value}`, flags), `$1${MASKED}`]
}

/** Secrets that only their names give away. */
const NAMED: readonly Shape[] = [
  // YAML: the lines of a block that stand further in.
  [
    new RegExp(
      `^(([ \\t]*)(?:- )?["']?[\\w.-]*${NAME}["']?:[ \\t]*[|>][-+\\d]*[ \\t]*)\\n(?:\\2[ \\t]+.*\\n?|[ \\t]*\\n)+`,
      'gim',
    ),
    `$1 ${MASKED}\n`,
  ],
  // A list of them.
  shape(`${BEFORE.field}\\[`, `[^\\[\\]{}]{1,8192}(?=\\]|$)`),
  ...Object.values(BEFORE).flatMap(before =>
    QUOTED.map(([opening, rest]): Shape => [new RegExp(`(${before}(?:${opening}))${rest}`, 'gi'), `$1${MASKED}`]),
  ),
  shape(BEFORE.variable, WORD),
  shape(`(?<![\\w-])--?[\\w-]*?${NAME}(?:[ \\t]+|\\s+-[ \\t]+)(?!-)${SENTENCE}`, WORD),
  // name = value at the beginning of a line, in files of settings: all of it.
  shape(`^[ \\t]*[\\w.-]*${NAME}[ \\t]+=[ \\t]*(?!["'\\[{<])(?!(?:true|false)[ \\t]*$)`, '\\S.*$', 'gim'),
  shape(`${NAME}=`, WORD),
  // name: value at the beginning of a line, in YAML: all of it.
  shape(
    `^[ \\t]*(?:- )?["']?[\\w.-]*${NAME}["']?:[ \\t]+(?!["'\\[{<|>&*!])(?!(?:true|false|null|~)[ \\t]*$)`,
    '\\S.*$',
    'gim',
  ),
  // name: value, alone at the end of its line; with more behind it, it is a sentence.
  shape(`${NAME}${KEY_END}:[ \\t]+`, `${WORD}(?=[ \\t]*$)`, 'gim'),
  // {name: value, ...}
  shape(`[{,]\\s*[\\w.-]*${NAME}:[ \\t]+`, '(?!["\'\\[{<])[^\\s"\'{}\\[\\],\\\\]+(?=\\s*[,}])'),
  // "name": 12
  shape(`${NAME}${QUOTE}\\s*:\\s*`, '\\d[\\d.]*'),
  // As Go prints a struct.
  shape(`(?<=[\\s{])\\w*${NAME}:(?=[^\\s:/])`, WORD),
]

export const SHAPES: readonly Shape[] = [...BARE, ...NAMED]
