/** Real etcds with our certificates, for integration tests. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EncryptionAlgorithm } from '../lib/base/kubeadm.ts'
import type { CertificateName } from '../lib/kubeadm/credentials/certificates.ts'
import { type FileEntry, writeFiles } from '../lib/machine/files.ts'
import { initConfig, issue, PKI } from './pki.ts'

/** Why tests that need it are skipped; false where it is there. */
export const missingEtcd: string | false =
  spawnSync('etcd', ['--version']).status === 0 ? false : 'etcd is not installed'

const work = mkdtempSync(join(tmpdir(), 'kubestep etcd '))
const started: ChildProcess[] = []
after(async () => {
  for (const child of started) child.kill('SIGKILL')
  await sleep(100)
  rmSync(work, { recursive: true, force: true })
})

const ETCD: readonly CertificateName[] = [
  'etcd-ca',
  'etcd-server',
  'etcd-peer',
  'etcd-healthcheck-client',
  'apiserver-etcd-client',
]

/** What init writes for etcd. */
export async function etcdFiles(algorithm: EncryptionAlgorithm): Promise<readonly FileEntry[]> {
  const config = initConfig('v1.36.2', { encryptionAlgorithm: algorithm })
  return (await issue(config, {}, { certificates: ETCD, kubeconfigs: [], now: new Date() })).files
}

/** The text of a file below the PKI folder. */
export function textOf(files: readonly FileEntry[], name: string): string {
  return String(files.find(({ path }) => path === `${PKI}/${name}`)?.content)
}

/** Two ports nobody listens on. */
async function freePorts(): Promise<[number, number]> {
  const ports = [0, 1].map(
    () =>
      new Promise<[number, () => void]>((resolve, reject) => {
        const server = createServer()
        server.once('error', reject)
        server.listen(0, '127.0.0.1', () => {
          const address = server.address()
          resolve([typeof address === 'object' ? (address?.port ?? 0) : 0, () => server.close()])
        })
      }),
  )
  const taken = await Promise.all(ports)
  for (const [, close] of taken) close()
  return [taken[0]?.[0] ?? 0, taken[1]?.[0] ?? 0]
}

export interface Client {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
}

/** The body of GET /health; throws when the connection is refused. */
export function health(port: number, client: Client, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ host, port, path: '/health', agent: false, timeout: 5000, ...client }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve(body))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.on('timeout', () => call.destroy(new Error('timeout')))
    call.end()
  })
}

/** An etcd that runs. */
export interface RealEtcd {
  readonly child: ChildProcess
  readonly port: number
  readonly peerUrl: string
  /** `<name>=<peer URL>` of it, after those it joined. */
  readonly cluster: string
}

/** Where the next etcd will listen; a member has to be added before it starts. */
export async function planEtcd(): Promise<{ port: number; peerUrl: string }> {
  const [port, peerPort] = await freePorts()
  return { port, peerUrl: `https://127.0.0.1:${peerPort}` }
}

/** Starts a member with the flags that kubeadm gives it: alone, or into the cluster that `others` are. */
export async function startEtcd(
  files: readonly FileEntry[],
  { name = 'n1', plan, others }: { name?: string; plan?: { port: number; peerUrl: string }; others?: string } = {},
): Promise<RealEtcd> {
  const folder = mkdtempSync(join(work, 'n'))
  writeFiles(folder, files)
  const { port, peerUrl } = plan ?? (await planEtcd())
  const file = (path: string): string => join(folder, PKI, 'etcd', path)
  const client = `https://127.0.0.1:${port}`
  const cluster = [...(others === undefined ? [] : [others]), `${name}=${peerUrl}`].join(',')
  const child = spawn(
    'etcd',
    [
      `--name=${name}`,
      `--data-dir=${join(folder, 'data')}`,
      `--advertise-client-urls=${client}`,
      `--listen-client-urls=${client}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-cluster=${cluster}`,
      ...(others === undefined ? [] : ['--initial-cluster-state=existing']),
      `--cert-file=${file('server.crt')}`,
      `--key-file=${file('server.key')}`,
      `--trusted-ca-file=${file('ca.crt')}`,
      '--client-cert-auth=true',
      `--peer-cert-file=${file('peer.crt')}`,
      `--peer-key-file=${file('peer.key')}`,
      `--peer-trusted-ca-file=${file('ca.crt')}`,
      '--peer-client-cert-auth=true',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  started.push(child)
  let log = ''
  child.stderr?.on('data', chunk => {
    log += chunk
  })
  // A learner is not healthy before it has its vote.
  if (others !== undefined) return { child, port, peerUrl, cluster }
  const ours = {
    ca: textOf(files, 'etcd/ca.crt'),
    cert: textOf(files, 'etcd/healthcheck-client.crt'),
    key: textOf(files, 'etcd/healthcheck-client.key'),
  }
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) break
    if ((await health(port, ours).catch(() => '')).includes('true')) return { child, port, peerUrl, cluster }
    await sleep(100)
  }
  throw new Error(`etcd did not become healthy:\n${log.slice(-2000)}`)
}
