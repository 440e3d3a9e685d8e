/** The end of a phase that made cluster objects: a dry run shows them or writes them down, a live one applies them. */
import { dirname, resolve } from 'node:path'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { openAdminApi } from '../../cluster/api/admin-api.ts'
import { applyObjects } from '../../cluster/api/apply-objects.ts'
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError } from '../../base/errors.ts'
import type { Phase } from './open-phase.ts'
import type { Call } from '../../cli/script.ts'
import { type ClusterObject, clusterObjectsYaml } from '../../kubeadm/objects/cluster-object.ts'
import type { ClusterAccess } from '../../kubeadm/objects/join-command.ts'
import { keepingChanges } from '../../cluster/api/kept-changes.ts'

/** Where the objects of a dry run go, below its folder. */
const FILE = '/cluster-objects.yaml'

const ADMIN_CONF = '/etc/kubernetes/admin.conf'

/**
 * A dry run prints the objects, alone on stdout, or with --output-dir writes them there; otherwise they go into the
 * cluster. Throws a KubestepError when it cannot write, and an ApiError when the API server refuses or stays away.
 */
export async function deliverObjects(
  objects: readonly ClusterObject[],
  messages: readonly string[],
  phase: Phase,
  call: Call,
): Promise<void> {
  const { flags, output } = call
  if (!phase.dryRun) {
    await withApi(phase, call, (api, deadline) => applyToCluster(api, objects, deadline, output.say))
    for (const message of messages) output.say(message)
    return
  }
  const yaml = clusterObjectsYaml(objects)
  if (flags['output-dir'] === undefined) {
    output.result(yaml)
    return
  }
  for (const message of messages) output.say(message)
  // It holds the tokens' secrets.
  phase.write([{ path: FILE, mode: 0o600, content: yaml }])
  output.say(`[dryrun] Wrote ${objects.length} object${objects.length === 1 ? '' : 's'} to "${phase.target}${FILE}"`)
}

/**
 * Runs `work` with a client for the cluster, within the time that kubeadm gives API calls. As with kubeadm, the
 * default kubeconfig talks to this node's own API server, a given one to the server that it names.
 */
export async function withApi<Result>(
  { config, read, place }: Pick<Phase, 'config' | 'read' | 'place'>,
  { flags, name }: Pick<Call, 'flags' | 'name'>,
  work: (api: Api, deadline: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const file = flags.kubeconfig ?? ADMIN_CONF
  const api =
    flags.kubeconfig === undefined && read(ADMIN_CONF) !== undefined
      ? openAdminApi(config, read, dirname(ADMIN_CONF))
      : openApi(readCredentials(kubeconfigText(file, read, name, place), file, read))
  const { timeouts } = config.init
  const deadline = AbortSignal.timeout(timerMilliseconds(flags.timeout ?? timeouts.kubernetesAPICall))
  try {
    return await work(api, deadline)
  } finally {
    api.close()
  }
}

/** Objects into a cluster that may have lived already: what its users have changed of CoreDNS stays. */
async function applyToCluster(
  api: Api,
  objects: readonly ClusterObject[],
  deadline: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const rows = await Promise.all(
    objects.map(async row => {
      const object = await keepingChanges(api, row.object)
      if (object === undefined) say(`[${row.phase}] Keeping ${row.resource}/${row.name}: it was changed in the cluster`)
      return object === undefined ? [] : [{ ...row, object }]
    }),
  )
  await applyObjects(api, rows.flat(), deadline)
}

/** Server and CA of the cluster, from admin.conf. Throws a KubestepError when there is none, or it is damaged. */
export function adminAccess({ read, place }: Phase, { name, flags }: Call): ClusterAccess {
  const file = flags.kubeconfig ?? ADMIN_CONF
  const { server, ca } = readCredentials(kubeconfigText(file, read, name, place), file, read)
  return { server, caCertificate: ca }
}

function kubeconfigText(file: string, read: Phase['read'], what: string, place: Phase['place']): string {
  const text = read(resolve(file))
  if (text !== undefined) return text
  throw new KubestepError(
    `${what}: cannot read "${place(resolve(file))}": it does not exist; make it with the kubeconfig script`,
  )
}
