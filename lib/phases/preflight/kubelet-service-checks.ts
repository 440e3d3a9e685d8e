/** What a kubelet's service of somebody else, or what is left of one, means for ours. */
import type { Host } from '../../machine/host/host.ts'
import { matters } from '../../machine/service/unit-overrides.ts'
import { error, handled, ok, type Verdict } from './check.ts'

/** Units, masks and drop-ins: what init outdoes and reset brings back, and what nothing can outdo. */
export function kubeletServiceVerdicts({ units, machine, kubeletUnit }: Host): Verdict | Verdict[] {
  const state = units.find(({ name }) => name === 'kubelet.service')
  if (!machine.systemd) {
    return handled('systemd does not run here', 'init starts the kubelet under a supervisor of its own')
  }
  if (state?.isActive) return error('kubelet.service is active', 'stop it: systemctl disable --now kubelet')
  const { unit, mask, isAbove, dropIns, missing } = kubeletUnit
  const path = mask ?? unit?.path ?? ''
  if (isAbove) {
    return error(`"${path}" wins over every unit that init could write`, 'move it away, then systemctl daemon-reload')
  }
  const verdicts = [
    ...missing.map(other =>
      error(
        `"${other.path}" lets kubelet.service run only with ${other.unit}, which is not there`,
        `comment that line out, or install ${other.unit}`,
      ),
    ),
    ...(mask === undefined
      ? []
      : [handled(`kubelet.service is masked by "${mask}"`, 'init sets that aside, and reset brings it back')]),
    ...(unit === undefined && !state?.isLoaded
      ? []
      : [handled('kubelet.service is installed', 'init gives it a drop-in of its own, and reset takes that away')]),
    ...dropIns
      .filter(matters)
      .map(other =>
        handled(`"${other.path}" says how a kubelet starts`, 'init wins over it for as long as the cluster is there'),
      ),
  ]
  return verdicts.length > 0 ? verdicts : ok('not installed')
}
