/** A real etcd serves with our certificates: to clients of its CA, and to nobody else. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EncryptionAlgorithm } from '../../lib/base/kubeadm.ts'
import type { CertificateName } from '../../lib/kubeadm/credentials/certificates.ts'
import { type FileEntry, writeFiles } from '../../lib/machine/files.ts'
import { initConfig, issue, PKI } from '../pki.ts'

const missing = spawnSync('etcd', ['--version']).status === 0 ? false : 'etcd is not installed'
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

async function credentials(algorithm: EncryptionAlgorithm): Promise<readonly FileEntry[]> {
  const config = initConfig('v1.36.2', { encryptionAlgorithm: algorithm })
  return (await issue(config, {}, { certificates: ETCD, kubeconfigs: [], now: new Date() })).files
}

/** The text of a file below the PKI folder. */
function textOf(files: readonly FileEntry[], name: string): string {
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

interface Client {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
}

/** The body of GET /health; throws when the connection is refused. */
function health(port: number, client: Client, host = '127.0.0.1'): Promise<string> {
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

async function startEtcd(folder: string, files: readonly FileEntry[]): Promise<number> {
  writeFiles(folder, files)
  const [port, peerPort] = await freePorts()
  const file = (name: string): string => join(folder, PKI, 'etcd', name)
  const [client, peer] = [`https://127.0.0.1:${port}`, `https://127.0.0.1:${peerPort}`]
  // The flags that kubeadm gives it.
  const child = spawn(
    'etcd',
    [
      '--name=n1',
      `--data-dir=${join(folder, 'data')}`,
      `--advertise-client-urls=${client}`,
      `--listen-client-urls=${client}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--listen-peer-urls=${peer}`,
      `--initial-cluster=n1=${peer}`,
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
  const ours = {
    ca: textOf(files, 'etcd/ca.crt'),
    cert: textOf(files, 'etcd/healthcheck-client.crt'),
    key: textOf(files, 'etcd/healthcheck-client.key'),
  }
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) break
    if ((await health(port, ours).catch(() => '')).includes('true')) return port
    await sleep(100)
  }
  throw new Error(`etcd did not become healthy:\n${log.slice(-2000)}`)
}

for (const algorithm of ['RSA-2048', 'ECDSA-P256', 'ECDSA-P384'] as const) {
  describe(`etcd with ${algorithm}`, { skip: missing }, () => {
    const ready = missing
      ? undefined
      : (async () => {
          const [files, foreign] = await Promise.all([credentials(algorithm), credentials('ECDSA-P256')])
          const port = await startEtcd(join(work, algorithm), files)
          return { files, foreign, port, ca: textOf(files, 'etcd/ca.crt') }
        })()
    // Each test awaits it and tells of its failure.
    ready?.catch(() => {})

    for (const name of ['apiserver-etcd-client', 'etcd/healthcheck-client', 'etcd/server', 'etcd/peer']) {
      it(`serves a client with ${name}`, async () => {
        const { files, port, ca } = (await ready) ?? assert.fail()
        const body = await health(port, { ca, cert: textOf(files, `${name}.crt`), key: textOf(files, `${name}.key`) })
        assert.match(body, /"health":\s*"true"/)
      })
    }

    it('refuses a client without a certificate', async () => {
      const { port, ca } = (await ready) ?? assert.fail()
      await assert.rejects(health(port, { ca }))
    })

    it('refuses a client of another CA', async () => {
      const { foreign, port, ca } = (await ready) ?? assert.fail()
      const cert = textOf(foreign, 'apiserver-etcd-client.crt')
      await assert.rejects(health(port, { ca, cert, key: textOf(foreign, 'apiserver-etcd-client.key') }))
    })

    it('is refused by a client that trusts another CA', async () => {
      const { files, foreign, port } = (await ready) ?? assert.fail()
      const cert = textOf(files, 'apiserver-etcd-client.crt')
      const client = { cert, key: textOf(files, 'apiserver-etcd-client.key') }
      await assert.rejects(health(port, { ...client, ca: textOf(foreign, 'etcd/ca.crt') }))
    })

    it('may be called by its name', async () => {
      const { files, port, ca } = (await ready) ?? assert.fail()
      const cert = textOf(files, 'apiserver-etcd-client.crt')
      const body = await health(port, { ca, cert, key: textOf(files, 'apiserver-etcd-client.key') }, 'localhost')
      assert.match(body, /true/)
    })
  })
}
