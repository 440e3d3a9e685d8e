/**
 * User names and passwords for registries, from where Docker and podman keep them. Looked up only when a registry
 * asks; never shown. Source: docker/cli config file and credential helpers protocol; containers-auth.json(5).
 */
import { isAbsolute, join } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { $, which } from '../../machine/command.ts'
import { readFile } from '../../machine/files.ts'

export interface Credentials {
  readonly username: string
  readonly password: string
  /** In place of both: what a login has given to get tokens with. */
  readonly identityToken?: string
  /** Where they come from, for messages. */
  readonly source: string
}

/** Finds the credentials for a repository, e.g. of `registry.example.org:5000` and `team/app`. Throws a KubestepError. */
export type FindCredentials = (host: string, repository: string) => Promise<Credentials | undefined>

type Environment = Readonly<Record<string, string | undefined>>

/** Files that may hold credentials, first choice first. */
export function credentialFiles(environment: Environment, uid: number = process.getuid?.() ?? 0): string[] {
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, HOME } = environment
  // A relative one would be a folder of whoever made the current one.
  const home = HOME !== undefined && isAbsolute(HOME) ? HOME : '/root'
  return [
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    join(DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
    join(XDG_RUNTIME_DIR ? join(XDG_RUNTIME_DIR, 'containers') : `/run/containers/${uid}`, 'auth.json'),
    join(XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
  ]
}

/** Opens the user's files; none is read before it is needed, and each helper is asked once for a host. */
export function openCredentials(environment: Environment): FindCredentials {
  const asked = new Map<string, Promise<Credentials | undefined>>()
  return (host, repository) => {
    const key = `${host}/${repository}`
    const known = asked.get(key) ?? find(credentialFiles(environment), host, repository)
    asked.set(key, known)
    return known
  }
}

async function find(files: readonly string[], host: string, repository: string): Promise<Credentials | undefined> {
  for (const file of files) {
    const config = readConfig(file)
    if (config === undefined) continue
    const found = (await fromHelper(config, host, file)) ?? fromFile(config, host, repository, file)
    if (found !== undefined) return found
  }
  return undefined
}

function readConfig(file: string): JsonObject | undefined {
  const text = readFile('/', file)
  if (text === undefined || text.trim() === '') return undefined
  let config: Json
  try {
    config = JSON.parse(text) as Json
  } catch {
    // What is wrong with it may show a part of a secret.
    throw new KubestepError(
      `images: cannot read credentials from "${file}": it is not JSON; correct it, or log in again`,
    )
  }
  return isObject(config) ? config : undefined
}

/** Docker Hub has many names; the first one is the one under which Docker keeps its login. */
const HUB: readonly string[] = ['index.docker.io', 'docker.io', 'registry-1.docker.io']

/** `https://index.docker.io/v1/` and `docker.io` are the same. */
function normalized(key: string): string {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
  return HUB.includes(bare) ? 'docker.io' : bare
}

/** The entry for the longest part of the name: `host/team/app`, `host/team`, `host`. */
function fromFile({ auths }: JsonObject, host: string, repository: string, file: string): Credentials | undefined {
  const entries = new Map(Object.entries(isObject(auths) ? auths : {}).map(([key, value]) => [normalized(key), value]))
  const parts = [normalized(host), ...repository.split('/')]
  const names = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
  const entry = names.map(name => entries.get(name)).find(isObject)
  if (entry === undefined) return undefined
  const { auth, username, password, identitytoken } = entry
  const [, user = '', secret = ''] = typeof auth === 'string' ? (/^([^:]*):(.*)$/s.exec(decoded(auth)) ?? []) : []
  const credentials = {
    username: typeof username === 'string' ? username : user,
    password: (typeof password === 'string' ? password : secret).replace(/\0+$/, ''),
    source: file,
  }
  if (typeof identitytoken === 'string' && identitytoken !== '') return { ...credentials, identityToken: identitytoken }
  return credentials.username === '' ? undefined : credentials
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString()
}

/** A name in place of which a helper gives an identity token. Source: docker/docker-credential-helpers. */
const TOKEN_USER = '<token>'
const HELPER_LIMIT_MS = 10_000

async function fromHelper(config: JsonObject, host: string, file: string): Promise<Credentials | undefined> {
  const { credHelpers, credsStore } = config
  const helpers = Object.entries(isObject(credHelpers) ? credHelpers : {})
  const helper = helpers.find(([key]) => normalized(key) === normalized(host))?.[1] ?? credsStore
  if (typeof helper !== 'string' || !/^[\w.-]+$/.test(helper)) return undefined
  const name = `docker-credential-${helper}`
  const program = which(name)
  const cannot = `images: cannot get the credentials for "${host}": ${file} says that ${name} has them, and`
  if (program === undefined) throw new KubestepError(`${cannot} it is not on this machine; install it, or log in again`)
  const server = normalized(host) === 'docker.io' ? `https://${HUB[0]}/v1/` : host
  const { exitCode, stdout } = await $({ nothrow: true, input: server, timeout: HELPER_LIMIT_MS })`${program} get`
  if (exitCode !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined
    throw new KubestepError(`${cannot} it ended with status ${exitCode}; run it by hand, or log in again`)
  }
  // Its output is the secret, so nothing of it is shown.
  try {
    const { Username, Secret } = JSON.parse(stdout) as { Username: unknown; Secret: unknown }
    if (typeof Username === 'string' && typeof Secret === 'string') {
      const source = name
      if (Username === TOKEN_USER) return { username: '', password: '', identityToken: Secret, source }
      return { username: Username, password: Secret, source }
    }
  } catch {
    // The message below is for this, too.
  }
  throw new KubestepError(`${cannot} it gives something else; run it by hand, or log in again`)
}
