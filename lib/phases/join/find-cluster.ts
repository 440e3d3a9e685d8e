/** Phase `preflight` of a join: finds the cluster, and what stands in the way; changes nothing. */
import { KubestepError } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import type { JoinRun } from './join-run.ts'
import { readiness } from './node-state.ts'

export async function findCluster(run: JoinRun): Promise<void> {
  const { role, config, dryRun } = run
  await run.cluster()
  const node = await run.node()
  await refuseTakenName(run, node.config)
  if (role === 'control-plane') refuseUnstable(node.config)
  if (role === 'control-plane' && config.controlPlane?.certificateKey === undefined) refuseWithoutShared(node)
  if (!dryRun) await run.look()
}

/** Two machines of one name take each other's Pods. Source: kubeadm cmd/phases/join/kubelet.go (v1.36). */
async function refuseTakenName(run: JoinRun, { init }: InitConfig): Promise<void> {
  const { name } = init.nodeRegistration
  const found = await (await run.api()).get(`/api/v1/nodes/${name}`)
  if (found === undefined) return
  const isReady = readiness(found) === true
  const advice = `kubectl delete node ${name}`
  if (!isReady) {
    run.call.output.warn(
      `[preflight] There is a Node "${name}" that is not Ready: this machine takes its place; if it is another machine's, stop here and say "${advice}" first`,
    )
    return
  }
  throw new KubestepError(
    `join: cannot join as "${name}": the cluster has a Node of that name that is Ready; use --node-name, or take that one away first: ${advice}`,
  )
}

function refuseUnstable({ cluster }: InitConfig): void {
  if (cluster.controlPlaneEndpoint !== undefined) return
  throw new KubestepError(
    'join: cannot join as a control plane node: the cluster has no controlPlaneEndpoint, so that it ends with its first node; set it in ConfigMap kube-system/kubeadm-config, to an address that all control plane nodes can stand behind',
  )
}

/** What control plane nodes share, where nobody brings it. */
function refuseWithoutShared({ config, read }: OpenedPhase): void {
  const { certificatesDir, etcd } = config.cluster
  const names = [
    'ca.crt',
    'sa.key',
    'sa.pub',
    'front-proxy-ca.crt',
    ...(etcd.local === undefined ? [] : ['etcd/ca.crt']),
  ]
  const missing = names.map(name => `${certificatesDir}/${name}`).filter(path => read(path) === undefined)
  if (missing.length === 0) return
  throw new KubestepError(
    `join: cannot join as a control plane node: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing; copy what control plane nodes share from another one, or say "upload-certs" there and give the key with --certificate-key`,
  )
}
