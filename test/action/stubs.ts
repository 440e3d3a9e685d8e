/**
 * A checkout of the action whose own bundles are real and whose scripts are not: they note how they were called, and
 * say what a test wants. So everything around a cluster is tested without one.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ACTION_FOLDER } from './runner.ts'

export interface Checkout {
  readonly folder: string
  /** Calls so far: name of the script and its arguments. */
  readonly calls: () => readonly (readonly string[])[]
  readonly remove: () => void
}

const SCRIPTS: readonly string[] = ['init', 'reset', 'logs', 'load', 'upgrade']

/** Makes one; `bodies` is JavaScript for scripts that do more than to end well, with `say(event)` and `args`. */
export function stubbedCheckout(bodies: Readonly<Record<string, string>> = {}): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep checkout '))
  // Other users run it too.
  chmodSync(folder, 0o755)
  const calls = join(folder, 'calls.jsonl')
  mkdirSync(join(folder, 'dist'))
  cpSync(join(ACTION_FOLDER, 'action.yml'), join(folder, 'action.yml'))
  const copies = [
    ['action', 'action'],
    ['action-post', 'action-post'],
    ['action-cache', 'action-cache'],
  ] as const
  for (const [name, copy] of copies) {
    cpSync(join(ACTION_FOLDER, 'dist', `${name}.mjs`), join(folder, 'dist', `${copy}.mjs`))
  }
  for (const name of SCRIPTS) {
    writeFileSync(
      join(folder, 'dist', `${name}.mjs`),
      `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
const args = process.argv.slice(2)
const say = event => console.log(JSON.stringify(event))
const note = (...words) => appendFileSync(${JSON.stringify(calls)}, JSON.stringify(words) + '\\n')
note(${JSON.stringify(name)}, ...args)
${bodies[name] ?? ''}
`,
    )
  }
  return {
    folder,
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, 'utf8')
            .trim()
            .split('\n')
            .map(line => JSON.parse(line) as string[])
        : [],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Secret of the kubeconfig that the stub of init makes. */
export const CLIENT_KEY: string = Buffer.from(
  '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA0secretsecretsecretsecretsecret\n-----END EC PRIVATE KEY-----\n',
).toString('base64')

/** An init that ends with a cluster, as far as anybody can tell. */
export const READY_INIT: string = readyInit()

function readyInit(): string {
  const text = `apiVersion: v1
kind: Config
current-context: kubernetes-admin@kubernetes
clusters:
- name: kubernetes
  cluster:
    certificate-authority-data: ${Buffer.from('the CA\n').toString('base64')}
    server: https://192.0.2.1:6443
users:
- name: kubernetes-admin
  user: { client-key-data: ${CLIENT_KEY} }
`
  const ready = {
    event: 'ready',
    kubernetesVersion: 'v1.36.2',
    nodeName: 'node',
    server: 'https://192.0.2.1:6443',
    runtime: { name: 'containerd', version: 'v2.3.5' },
    images: ['registry.k8s.io/etcd:3.6.8-0'],
    gates: [{ name: 'dns', afterMs: 4000 }],
    timings: { runtime: 500, dns: 9000 },
  }
  return `const kubeconfig = fileURLToPath(new URL('../admin.conf', import.meta.url))
writeFileSync(kubeconfig, ${JSON.stringify(text)}, { mode: 0o600 })
say({ event: 'progress', text: '[certs] Generating "ca" certificate and key' })
say({ event: 'detail', text: 'a detail' })
say({ ...${JSON.stringify(ready)}, kubeconfig })`
}
