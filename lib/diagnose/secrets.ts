/** Takes secrets out of texts that people will read or send around: messages, logs, bundles. */

/** Names of fields, flags and variables whose values are secret. */
const NAMES =
  'client-key-data|client-certificate-data|certificate-authority-data|(?:id|access|refresh|bearer)[-_]?token|token|token[-_]secret|client[-_]secret|secret[-_]?(?:access[-_]?)?key|api[-_]?key|passw(?:or)?d|passphrase|certificate[-_]?key|encryption[-_]?key|identitytoken'

/** Backslashes: JSON inside a log line has its quotes escaped. */
const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, '<masked private key>'],
  // PEM in base64, as kubeconfigs and Secrets hold it: "-----BEGIN " and what follows.
  [/\bLS0tLS1CRUdJTi[A-Za-z0-9+/]+=*/g, '<masked PEM>'],
  // JSON web tokens of service accounts.
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<masked token>'],
  // Bootstrap tokens: the part before the dot is public.
  [/\b([a-z0-9]{6})\.[a-z0-9]{16}\b/g, '$1.<masked>'],
  [/\b(Bearer|Basic) +(?=[\w.~+/=-]*[\d.])[\w.~+/=-]+/g, '$1 <masked>'],
  // User and password in an address, such as a proxy's.
  [/\b([a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/@"'\\]+@/gi, '$1<masked>@'],
  // "name":"value"
  [new RegExp(`((?:${NAMES})\\\\*["']\\s*:\\s*\\\\*["'])[^"'\\\\]+`, 'gi'), '$1<masked>'],
  // name=value
  [new RegExp(`((?:${NAMES})=\\\\*["']?)[^\\s"',;&\\\\]+`, 'gi'), '$1<masked>'],
  // name: value, alone at the end of its line; with more behind it, it is a sentence.
  [
    new RegExp(`((?:${NAMES})\\\\*["']?:[ \\t]+\\\\*["']?)[^\\s"'{}\\[\\]\\\\]+(?=\\\\*["']?,?[ \\t]*$)`, 'gim'),
    '$1<masked>',
  ],
]

/** Text without private keys, tokens, passwords and the data of kubeconfigs. */
export function maskSecrets(text: string): string {
  return SECRETS.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text)
}
