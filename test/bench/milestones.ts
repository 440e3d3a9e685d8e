/** Watches a cluster come up from outside, the same way whoever brings it up. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../lib/base/errors.ts'
import type { InitConfig } from '../../lib/base/kubeadm.ts'
import { type Api, openApi } from '../../lib/cluster/api/api-client.ts'
import { readCredentials } from '../../lib/cluster/api/kubeconfig-credentials.ts'
import { gateContext } from '../../lib/cluster/ready/gate-context.ts'
import { GATES, type Gate } from '../../lib/cluster/ready/gates.ts'
import { type GateResult, waitForGates } from '../../lib/cluster/ready/wait-gates.ts'
import { localUrl } from '../../lib/kubeadm/credentials/kubeconfigs.ts'
import { readFile } from '../../lib/machine/files.ts'

/** What is measured, by the gate that shows it. */
export const MILESTONES: readonly (readonly [gate: string, name: string])[] = [
  ['api', 'API ready'],
  ['node', 'node Ready'],
  ['service-account', 'default ServiceAccount'],
  ['pod', 'first Pod running'],
  ['dns', 'CoreDNS answers'],
]

/** Milliseconds from `start` (of performance.now()) to each milestone, by its name. Throws a KubestepError when time runs out. */
export async function observe(
  config: InitConfig,
  start: number,
  deadline: AbortSignal,
): Promise<Record<string, number>> {
  const api = await openWhenThere(config, deadline)
  const reached: Record<string, number> = {}
  try {
    const context = gateContext(config, api)
    // A Pod of its own, as a user's would be: whoever runs CoreDNS goes by that.
    const ofUser = { ...context, hasDns: false, probePod: 'kubestep-bench' }
    const isPod = ({ name }: Gate): boolean => name === 'pod'
    const onPass = ({ name }: GateResult): void => {
      const milestone = MILESTONES.find(([gate]) => gate === name)
      if (milestone !== undefined) reached[milestone[1]] = Math.round(performance.now() - start)
    }
    const results = (
      await Promise.all([
        waitForGates(GATES.filter(isPod), ofUser, deadline, { onPass }),
        waitForGates(
          GATES.filter(gate => !isPod(gate)),
          context,
          deadline,
          { onPass },
        ),
      ])
    ).flat()
    const failed = results.find(({ passed }) => !passed)
    if (failed !== undefined) throw new KubestepError(`bench: cannot see "${failed.name}": ${failed.reason}`)
    return reached
  } finally {
    api.close()
  }
}

// super-admin.conf has rights from the first moment; releases before 1.29 have admin.conf only.
async function openWhenThere(config: InitConfig, deadline: AbortSignal): Promise<Api> {
  const name = config.version.minor >= 29 ? 'super-admin.conf' : 'admin.conf'
  const path = `/etc/kubernetes/${name}`
  const read = (file: string): string | undefined => readFile('/', file)
  for (;;) {
    const text = read(path)
    if (text !== undefined) return openApi(readCredentials(text, path, read, localUrl(config)))
    if (deadline.aborted) throw new KubestepError(`bench: cannot begin to watch: "${path}" was never written`)
    await sleep(20)
  }
}
