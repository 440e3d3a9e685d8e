/** Item `selinux`: permissive now and at boot, because Pods of a control plane read files of the host. */
import { isEnforcing, selinuxLine } from '../../machine/host/selinux-state.ts'
import { type Finding, linesChange, type PrepareContext, settingChange } from './prepare-item.ts'

const CONFIG = '/etc/selinux/config'

export async function findSelinux({ host, live }: PrepareContext): Promise<Finding> {
  const line = selinuxLine(host.read(CONFIG) ?? '')
  const edits = line !== undefined && isEnforcing(line) ? [{ before: line, after: 'SELINUX=permissive' }] : []
  const now = live ? await settingChange(host, 'selinux', '', 'Permissive') : []
  return { changes: [...linesChange(host, CONFIG, edits), ...now] }
}
