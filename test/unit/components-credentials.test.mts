import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { type Credentials, credentialFiles, openCredentials } from '../../lib/supply/registry/registry-logins.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A home with files and helper programs; what `use` gives is given on. */
async function at<T>(
  files: Readonly<Record<string, string>>,
  use: (environment: Readonly<Record<string, string>>, home: string) => Promise<T>,
): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'kubestep credentials '))
  for (const [name, content] of Object.entries(files)) {
    const path = join(home, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    if (name.startsWith('bin/')) chmodSync(path, 0o755)
  }
  const path = process.env.PATH
  process.env.PATH = `${join(home, 'bin')}:${path}`
  try {
    return await use({ HOME: home, XDG_RUNTIME_DIR: join(home, 'run') }, home)
  } finally {
    process.env.PATH = path
    rmSync(home, { recursive: true })
  }
}

const DOCKER = '.docker/config.json'
const login = (user: string, secret: string): object => ({ auth: base64(`${user}:${secret}`) })
const auths = (entries: Readonly<Record<string, object>>): string => JSON.stringify({ auths: entries })

interface Row {
  readonly what: string
  readonly files: Readonly<Record<string, string>>
  readonly host?: string
  readonly repository?: string
  /** `user:password`, or `token`; undefined for none. */
  readonly found: string | undefined
}

const HELPER = `#!/bin/sh
read server
case "$1 $server" in
  "get reg.example") echo '{"ServerURL":"reg.example","Username":"helped","Secret":"by program"}' ;;
  "get https://index.docker.io/v1/") echo '{"Username":"hub","Secret":"pw"}' ;;
  "get token.example") echo '{"Username":"<token>","Secret":"identity"}' ;;
  "get none.example") echo 'credentials not found in native keychain'; exit 1 ;;
  "get odd.example") echo '{"Secret":"s3cret"' ;;
  *) echo 's3cret on the loose'; exit 3 ;;
esac
`
const WITH_STORE = { [DOCKER]: JSON.stringify({ credsStore: 'test' }), 'bin/docker-credential-test': HELPER }

const ROWS: readonly Row[] = [
  { what: 'nothing', files: {}, found: undefined },
  { what: 'an empty file', files: { [DOCKER]: '' }, found: undefined },
  { what: 'another registry', files: { [DOCKER]: auths({ 'other.example': login('a', 'b') }) }, found: undefined },
  { what: "Docker's file", files: { [DOCKER]: auths({ 'reg.example': login('a', 'b:c') }) }, found: 'a:b:c' },
  {
    what: 'a key with an address',
    files: { [DOCKER]: auths({ 'https://reg.example/v1/': login('a', 'b') }) },
    found: 'a:b',
  },
  {
    what: 'a port',
    files: { [DOCKER]: auths({ 'reg.example:5000': login('a', 'b') }) },
    host: 'reg.example:5000',
    found: 'a:b',
  },
  {
    what: 'fields of their own',
    files: { [DOCKER]: auths({ 'reg.example': { username: 'a', password: 'b' } }) },
    found: 'a:b',
  },
  {
    what: 'an identity token',
    files: { [DOCKER]: auths({ 'reg.example': { identitytoken: 'long' } }) },
    found: 'long',
  },
  { what: 'an entry that a helper left empty', files: { [DOCKER]: auths({ 'reg.example': {} }) }, found: undefined },
  {
    what: 'Docker Hub by its old name',
    files: { [DOCKER]: auths({ 'https://index.docker.io/v1/': login('a', 'b') }) },
    host: 'registry-1.docker.io',
    found: 'a:b',
  },
  {
    what: "podman's file, with the longest name first",
    files: {
      'run/containers/auth.json': auths({ 'reg.example': login('x', 'y'), 'reg.example/team': login('a', 'b') }),
    },
    found: 'a:b',
  },
  {
    what: 'a name that only begins alike',
    files: { 'run/containers/auth.json': auths({ 'reg.example/tea': login('a', 'b') }) },
    found: undefined,
  },
  {
    what: "Docker's file before podman's",
    files: {
      [DOCKER]: auths({ 'reg.example': login('docker', '1') }),
      '.config/containers/auth.json': auths({ 'reg.example': login('podman', '2') }),
    },
    found: 'docker:1',
  },
  {
    what: 'the user’s own folder of podman',
    files: { '.config/containers/auth.json': auths({ 'reg.example': login('podman', '2') }) },
    found: 'podman:2',
  },
  { what: 'a store', files: WITH_STORE, found: 'helped:by program' },
  { what: 'a store, for Docker Hub', files: WITH_STORE, host: 'registry-1.docker.io', found: 'hub:pw' },
  { what: 'a store that has a token', files: WITH_STORE, host: 'token.example', found: 'identity' },
  { what: 'a store that has none', files: WITH_STORE, host: 'none.example', found: undefined },
  {
    what: 'a helper for this registry alone',
    files: {
      ...WITH_STORE,
      [DOCKER]: JSON.stringify({
        auths: { 'reg.example': login('file', '1') },
        credHelpers: { 'reg.example': 'test', 'x.example': 'gone' },
      }),
    },
    found: 'helped:by program',
  },
]

const shown = (found: Credentials | undefined): string | undefined =>
  found === undefined ? undefined : (found.identityToken ?? `${found.username}:${found.password}`)

describe('openCredentials()', () => {
  for (const { what, files, host = 'reg.example', repository = 'team/app', found } of ROWS) {
    test(`finds ${found === undefined ? 'none' : 'them'} in ${what}`, async () => {
      assert.equal(shown(await at(files, environment => openCredentials(environment)(host, repository))), found)
    })
  }

  const faults: readonly (readonly [what: string, files: Row['files'], host: string, message: RegExp])[] = [
    [
      'a file that is damaged',
      { [DOCKER]: '{"auths": {"reg.example": {"auth": "czNjcmV0' },
      'reg.example',
      /cannot read credentials from ".*config\.json": it is not JSON/,
    ],
    [
      'a helper that is gone',
      { [DOCKER]: JSON.stringify({ credsStore: 'gone' }) },
      'reg.example',
      /docker-credential-gone has them, and it is not on this machine/,
    ],
    ['a helper that fails', WITH_STORE, 'bad.example', /docker-credential-test has them, and it ended with status 3/],
    [
      'a helper that gives half of it',
      WITH_STORE,
      'odd.example',
      /docker-credential-test has them, and it gives something else/,
    ],
  ]
  for (const [what, files, host, message] of faults) {
    test(`tells of ${what}, and shows nothing of what is in it`, async () => {
      await at(files, async environment => {
        await assert.rejects(openCredentials(environment)(host, 'a'), error => {
          assert.match((error as Error).message, message)
          assert.doesNotMatch((error as Error).message, /s3cret|czNjcmV0/)
          return true
        })
      })
    })
  }

  test('runs no helper whose name is a path', async () => {
    const files = { ...WITH_STORE, [DOCKER]: JSON.stringify({ credsStore: '../bin/test' }) }
    assert.equal(await at(files, environment => openCredentials(environment)('reg.example', 'a')), undefined)
  })
})

test('credentialFiles() follow the environment', () => {
  assert.deepEqual(credentialFiles({ HOME: '/h' }, 7), [
    '/h/.docker/config.json',
    '/run/containers/7/auth.json',
    '/h/.config/containers/auth.json',
  ])
  const moved = {
    HOME: '/h',
    DOCKER_CONFIG: '/d',
    REGISTRY_AUTH_FILE: '/r',
    XDG_RUNTIME_DIR: '/x',
    XDG_CONFIG_HOME: '/c',
  }
  assert.deepEqual(credentialFiles(moved, 7), [
    '/r',
    '/d/config.json',
    '/x/containers/auth.json',
    '/c/containers/auth.json',
  ])
})
