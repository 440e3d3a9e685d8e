/** What etcd holds, as a file: `etcd snapshot save`. */
import { resolve } from 'node:path'
import { UsageError } from '../../base/errors.ts'
import type { Subcommand } from '../../cli/arguments.ts'
import type { Call } from '../../cli/script.ts'
import { etcdCredentials } from '../../cluster/etcd/etcd-credentials.ts'
import { reachEtcd } from '../../cluster/etcd/gateway.ts'
import { snapshotOf } from '../../cluster/etcd/snapshot.ts'
import { writePieces } from '../../machine/streamed-file.ts'
import { liveConfig } from '../run/live-config.ts'

export const SAVE_SUBCOMMAND: Subcommand = {
  name: 'snapshot save',
  about: 'Write all that etcd holds into FILE, whole and checked, as etcdctl does',
  options: ['config', 'cert-dir', 'kubeconfig'],
  positionals: 'FILE',
}

/** Where etcd's client port listens on each node of its own, whatever else it is told. Source: kubeadm phases/etcd/local.go (v1.36). */
const LOCAL_MEMBER = 'https://127.0.0.1:2379'

/** Secrets are in it, so only its owner may read it. Throws a KubestepError; then there is no file. */
export async function saveSnapshot(call: Call): Promise<void> {
  const { positionals, output } = call
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) {
    throw new UsageError('etcd: cannot save a snapshot: one FILE has to say where; name it')
  }
  const { config, read } = await liveConfig(call, 'etcd', output.detail)
  const endpoints = config.cluster.etcd.external?.endpoints ?? [LOCAL_MEMBER]
  const etcd = await reachEtcd(endpoints, etcdCredentials(config.cluster, read))
  try {
    const path = resolve(file)
    const task = output.begin(`taking a snapshot of "${etcd.endpoint}"`)
    const size = await writePieces(path, 0o600, snapshotOf(etcd))
    task.done()
    output.say(`[etcd] Snapshot of "${etcd.endpoint}" saved: "${path}", ${size} bytes`)
  } finally {
    etcd.close()
  }
}
