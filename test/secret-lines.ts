/** Lines of logs and files with a secret in each, made from tables by a generator that makes the same ones each time. */

/** What every secret that is made here has in it. */
export const MARK = 'Zq7'

/** Where secrets stand: `%` is the secret; in quotes it may have blanks and escaped quotes. */
const QUOTED: readonly string[] = [
  'NAME: "%"',
  "NAME: '%'",
  'NAME = "%"',
  'NAME="%"',
  '"NAME": "%"',
  '"NAME":"%", "next": 1',
  "{'NAME': '%'}",
  '--NAME "%"',
  '"--NAME", "%"',
  'tokens = ["%", "%"]',
  'msg="got {\\"NAME\\": \\"%\\", \\"b\\": 1}"',
  '{"log":"{\\\\\\"NAME\\\\\\":\\\\\\"%\\\\\\"}"}',
  '{"name": "DB_NAME", "value": "%"}',
  'envs:{key:"X_NAME" value:"%"}',
  '  - name: NAME\n    value: "%"',
  '"env": [{"key": "my.NAME", "value": "%"}]',
  '  NAME = """%"""',
]

/** Without quotes: one word. */
const WORDS: readonly string[] = [
  '--NAME %',
  '--NAME=%',
  '  - --NAME=%',
  '  - --NAME\n  - %',
  'NAME=% next',
  'DB_NAME=%',
  '"env": ["A=b", "MY_NAME=%"]',
  'PATH=/bin MYSQL_NAME=% run',
  'https://example.org/x?NAME=%&y=1',
  'NAME: %',
  'log says NAME: %',
  '{user: u, NAME: %, z: 1}',
  'curl -H "Authorization: Bearer %"',
  'Proxy-Authorization: Basic %',
  '  Authorization = ["Basic %"]',
  'authorization: token %',
  'X-Registry-Auth: %',
  '&Login{User:u Password:% Host:h}',
  'https://user:%@registry.example.org/v2/',
  'proxy http://%@10.0.0.1:3128 refused',
  'HTTPS_PROXY=http://u:%@proxy.example.org:3128',
  'NO_PROXY=10.0.0.0/8,http://u:%@x,.svc',
  'http_proxy: u:%@proxy:3128',
  '"auths": {"r.example.org": {"auth": "%"}}',
  '    auth = "%"',
  '//registry.npmjs.org/:_authToken=%',
  'identitytoken = "%"',
  'client-key-data: %',
  'ghp_%',
  'github_pat_%',
  'glpat-%',
  'dckr_pat_%',
  'eyJhbGciOi.%.%',
]

/** The rest of the line, or the lines that follow. */
const LINES: readonly string[] = [
  'NAME: %',
  '- NAME: %',
  'NAME = %',
  'NAME: |\n  %\n  %',
  '  "NAME": >-\n    %',
  '-----BEGIN RSA PRIVATE KEY-----\n%\n%\n-----END RSA PRIVATE KEY-----',
  '"-----BEGIN PRIVATE KEY-----\\n%\\n-----END PRIVATE KEY-----\\n"',
  '-----BEGIN OPENSSH PRIVATE KEY-----\n%',
]

/** Names of fields, flags and variables, as they are spelled here and there. */
const NAMES: readonly string[] = [
  'password',
  'Password',
  'PASSWORD',
  'passwd',
  'passphrase',
  'token',
  'TOKEN',
  'access_token',
  'id-token',
  'refreshToken',
  'client-secret',
  'client_secret',
  'secret',
  'secretKey',
  'AWS_SECRET_ACCESS_KEY',
  'api-key',
  'apikey',
  'X_API_KEY',
  'certificate-key',
  'certificateKey',
  'encryption-key',
  'private_key',
  'credentials',
  'identitytoken',
  'registrytoken',
]

const BEFORE: readonly string[] = ['', '2026-11-23T14:00:00.1Z stderr F ', 'E1123 14:00:00.1 1 a.go:1] ', '\t']
const BEHIND: readonly string[] = ['', ' ', '\nE1123 14:00:01 more', '\r']

/** Characters of secrets: of words, and what else may stand in quotes. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const SIGNS = '-_.~+/=!$%^*:;?|#'

/** Random numbers below a limit, the same ones each time. Source: Numerical Recipes, "quick and dirty" generator. */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** `count` of them. */
export function secretLines(count: number, seed = 1): string[] {
  const random = numbers(seed)
  const one = <T>(list: readonly T[]): T => list[random(list.length)] as T
  const text = (characters: string): string =>
    Array.from({ length: 3 + random(9) }, () => characters[random(characters.length)]).join('')
  const word = (): string => `${text(LETTERS)}${MARK}${text(LETTERS)}`
  const kinds = [
    () => one(QUOTED).replaceAll('%', () => (random(2) === 0 ? word() : `${word()}${text(`${SIGNS} `)}${word()}`)),
    () => one(WORDS).replaceAll('%', word),
    () => `\n${one(LINES).replaceAll('%', () => `${word()}${random(2) === 0 ? '' : word()}`)}\n\n`,
  ]
  return Array.from({ length: count }, () => {
    const kind = random(kinds.length)
    const line = (kinds[kind] as () => string)().replaceAll('NAME', () => one(NAMES))
    // A block begins its line.
    return kind === 2 ? line : `${one(BEFORE)}${line}${one(BEHIND)}`
  })
}
