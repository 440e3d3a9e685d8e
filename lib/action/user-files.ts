/** What the user of the runner gets of the cluster: kubeconfig, CA, kubectl, and a command that collects logs. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../base/json.ts'
import { LAYOUT } from '../base/paths.ts'
import { parse } from '../base/yaml.ts'
import { keyLines } from '../cluster/diagnose/known-secrets.ts'
import { owner, writeOwn } from './owned-files.ts'
import type { Reporting } from './reporting.ts'
import { asRoot, bundle, runAsRoot } from './run-as-root.ts'
import type { Places } from './runner-environment.ts'
import { kubeconfigFile, writeKubeconfig } from './user-kubeconfig.ts'

export interface UserFiles {
  readonly kubeconfig: string
  readonly context: string
  readonly server: string
  readonly caCert: string
  /** Empty when there is none. */
  readonly kubectl: string
}

/**
 * Writes them; `admin` is the kubeconfig of root, `kubeconfig` where the user wants it.
 * Throws a KubestepError.
 */
export async function giveUserFiles(
  places: Places,
  admin: string,
  kubeconfig: string,
  runner: Pick<Reporting, 'hide' | 'saveState'>,
): Promise<UserFiles> {
  const { status, stdout, stderr } = await runAsRoot(['cat', admin])
  if (status !== 0) throw new KubestepError(`action: cannot read "${admin}": ${stderr.trim()}`)
  const read = parse(stdout)
  const config = isObject(read) ? read : {}
  runner.hide(secretsOf(config))
  const ca = Buffer.from(field(config, 'clusters', 'cluster', 'certificate-authority-data'), 'base64').toString()
  // In our own folder there may be one of an earlier job.
  if (kubeconfig === places.kubeconfig) rmSync(kubeconfig, { force: true })
  const file = kubeconfigFile(kubeconfig, stdout)
  runner.saveState('kubeconfig', JSON.stringify(file))
  writeKubeconfig(file, stdout)
  writeOwn(places.caCert, ca, 0o644)
  writeOwn(join(places.bin, 'kubestep-logs.words'), logsWords(places.logs), 0o644)
  writeOwn(join(places.bin, 'kubestep-logs'), LOGS_COMMAND, 0o755)
  mkdirSync(places.logs, { recursive: true })
  return {
    kubeconfig,
    context: typeof config['current-context'] === 'string' ? config['current-context'] : '',
    server: field(config, 'clusters', 'cluster', 'server'),
    caCert: places.caCert,
    kubectl: await giveKubectl(places.bin),
  }
}

/** Copies the cluster's own, which lies where only root may look; gives its path, empty when there is none. */
export async function giveKubectl(folder: string): Promise<string> {
  const source = join(LAYOUT.binaries, 'kubectl')
  const target = join(folder, 'kubectl')
  const { status } = await runAsRoot(['install', '-m', '0755', ...owner(), source, target])
  return status === 0 && existsSync(target) ? target : ''
}

/** `kubestep-logs [FOLDER]`: the same text everywhere, because a shell reads it; what differs are words in a file beside it. */
const LOGS_COMMAND = `#!/bin/sh
# Puts an archive with the logs of the cluster into a folder: kubestep-logs [FOLDER]
folder=\${1-}
set --
while IFS= read -r word; do set -- "$@" "$word"; done <"$0.words"
folder=\${folder:-$1}
shift
[ "$(id -u)" = 0 ] && root= || root='sudo -n --'
mkdir -p -- "$folder" && "$@" --output-dir "$folder" && $root chown -- "$(id -u):$(id -g)" "$folder"/kubestep-logs-*
`

/** A word a line: the folder when none is named, then the command that collects as root. */
function logsWords(folder: string): string {
  return [folder, ...asRoot(bundle('logs'))].map(word => `${word}\n`).join('')
}

/** The key of the admin, in base64 and as lines of PEM, and tokens where there are any. */
function secretsOf(config: JsonObject): string[] {
  const key = field(config, 'users', 'user', 'client-key-data')
  return [key, ...keyLines(Buffer.from(key, 'base64').toString()), field(config, 'users', 'user', 'token')].filter(
    secret => secret !== '',
  )
}

function field(config: JsonObject, list: string, item: string, name: string): string {
  const entries = config[list]
  const first: Json | undefined = Array.isArray(entries) ? entries[0] : undefined
  const inner = isObject(first) ? first[item] : undefined
  const value = isObject(inner) ? inner[name] : undefined
  return typeof value === 'string' ? value : ''
}
