/** Certificates that an upgrade renews are those that the cluster has. Source: kubeadm phases/upgrade/staticpods.go (v1.36). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { OF_ADMINS, RENEWED_WITH, renewedRows } from '../../lib/phases/upgrade/renewed-credentials.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const EXTERNAL = '{ endpoints: [https://10.1.1.1:2379], caFile: /x/ca, certFile: /x/crt, keyFile: /x/key }'
const APISERVER = ['apiserver', 'apiserver-etcd-client', 'apiserver-kubelet-client', 'front-proxy-client']

const ROWS: readonly (readonly [
  what: string,
  version: string,
  etcd: string,
  names: readonly string[],
  renewed: readonly string[],
])[] = [
  ['its own etcd', 'v1.36.2', '{}', RENEWED_WITH['kube-apiserver'], APISERVER],
  [
    'an external etcd',
    'v1.36.2',
    `{ external: ${EXTERNAL} }`,
    RENEWED_WITH['kube-apiserver'],
    APISERVER.filter(name => name !== 'apiserver-etcd-client'),
  ],
  ['its own etcd', 'v1.36.2', '{}', OF_ADMINS, ['admin.conf', 'super-admin.conf']],
  ['a release without super-admin.conf', 'v1.28.0', '{}', OF_ADMINS, ['admin.conf']],
]

for (const [what, version, etcd, names, renewed] of ROWS) {
  test(`${names.join(', ')} of a cluster with ${what}`, () => {
    const text = `apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: ${version}\netcd: ${etcd}\n`
    const { config } = loadInitConfig({ text, file: 'kubeadm.yaml', detectCriSocket: false }, GOLDEN_FACTS)
    assert.deepEqual(
      renewedRows(config, names).map(({ name }) => name),
      renewed,
    )
  })
}
