import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { OFFLINE } from '../../lib/supply/fetch/fetch-failure.ts'
import { openNetwork } from '../../lib/supply/fetch/network.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Who may have a way to a network, and to whom it leads. --offline is about the first row; the others stay on this machine. */
const CONNECTED: readonly (readonly [file: string, to: string])[] = [
  ['lib/supply/fetch/network.ts', 'download sites and registries'],
  ['lib/supply/fetch/proxy.ts', 'download sites and registries, its connections'],
  [
    'lib/action/blob-store.ts',
    "nobody: types of answers; its client is the action cache's, which --offline leaves out",
  ],
  ['lib/cluster/api/api-client.ts', "the cluster's API server"],
  ['lib/supply/cri/cri-client.ts', 'the socket of the container runtime'],
  ['lib/supply/cri/grpc.ts', 'the socket of the container runtime'],
  ['lib/cluster/discovery/cluster-info.ts', 'the API server of the cluster that is joined'],
  ['lib/cluster/discovery/failed-checks.ts', 'the API server of the cluster that is joined'],
  ['lib/cluster/etcd/applied-index.ts', "the metrics of this node's etcd"],
  ['lib/cluster/etcd/gateway.ts', "the cluster's etcd"],
  ['lib/cluster/api-balancer/balancer.ts', 'the API servers of this cluster'],
  ['lib/cluster/api-balancer/datagrams.ts', 'ports of nodes of this machine'],
  ['lib/supply/runtime/shims.ts', 'shims of containerd on this machine'],
  ['lib/machine/network/listens.ts', 'servers of this cluster: it looks whether one is there'],
  ['lib/cluster/diagnose/kubelet-link.ts', "the kubelet's health port on this machine"],
  ['lib/machine/host/host-source.ts', 'nobody: it listens, to see whether a port is free'],
  ['lib/cluster/ready/gates.ts', "the cluster's DNS and API Service"],
  ['lib/base/go/url.ts', 'nobody: it reads addresses'],
]

const WAYS =
  /from 'node:(?:net|http|https|http2|dgram|tls|dns)(?:\/\w+)?'|import\('node:(?:net|http|https|http2|dgram|tls|dns)|[^.\w]fetch\(|\bWebSocket\(|from 'undici/

test('openNetwork() is the only way to download sites and registries', () => {
  const files = ['lib', 'scripts'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => /\.m?ts$/.test(name))
      .map(name => `${folder}/${name}`),
  )
  const found = files.filter(file => WAYS.test(readFileSync(join(ROOT, file), 'utf8'))).sort()
  assert.deepEqual(found, CONNECTED.map(([file]) => file).sort())
})

describe('openNetwork() with offline', () => {
  for (const url of ['https://dl.k8s.io/a', 'http://127.0.0.1:1/a']) {
    test(`does not contact ${url}, and says so`, async () => {
      const network = openNetwork({ deadline: AbortSignal.timeout(5000), offline: true })
      await assert.rejects(network.get(url), error => {
        const { message, host, again, reached } = error as Error & { host: string; again: boolean; reached: boolean }
        assert.deepEqual([message, host, again, reached], [OFFLINE, new URL(url).host, false, false])
        return true
      })
      network.close()
    })
  }
})
