/** A control plane that was started again. */
import { KUBERNETES } from '../../base/paths.ts'
import { openAdminApi } from '../../cluster/api/admin-api.ts'
import { chosenGates, gateContext } from '../../cluster/ready/gate-context.ts'
import { waitForGates } from '../../cluster/ready/wait-gates.ts'
import type { LiveConfig } from './live-config.ts'

/** Waits for gates; gives the first that did not hold in time and why, nothing when all do. */
export async function unreachedGate(
  gates: string,
  { config, read }: Pick<LiveConfig, 'config' | 'read'>,
  deadline: AbortSignal,
): Promise<string | undefined> {
  const api = openAdminApi(config, read, KUBERNETES.folder)
  try {
    const results = await waitForGates(chosenGates(gates), gateContext(config, api), deadline)
    const broken = results.find(({ passed }) => !passed)
    return broken && `${broken.name}: ${broken.reason}`
  } finally {
    api.close()
  }
}
