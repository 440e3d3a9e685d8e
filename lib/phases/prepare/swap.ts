/** Item `swap`: off now and at boot, or left on with the kubelet told to live with it. */

import { fstabSwapLines, swapAreas, swapUnits } from '../../machine/host/swap-state.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import { type Finding, linesChange, type PrepareContext, settingChange } from './prepare-item.ts'

const FSTAB = '/etc/fstab'

export async function findSwap({ host, live, config }: PrepareContext, asked: boolean): Promise<Finding> {
  const areas = live ? swapAreas(host.read('/proc/swaps') ?? '') : []
  // Without a word from the user init sets failSwapOn to false where swap is on.
  if (!asked && config.kubelet.document.failSwapOn !== true) {
    const notes =
      areas.length === 0
        ? []
        : ['swap may stay on: init sets failSwapOn to false for the kubelet; "prepare swap" turns it off']
    return { changes: [], notes }
  }
  const edits = fstabSwapLines(host.read(FSTAB) ?? '').map(line => ({ before: line, after: `# kubestep: ${line}` }))
  const { written, generated } = swapUnits(host)
  const masks = generated.map((name): PreparedChange => {
    const path = `/etc/systemd/system/${name}`
    return { kind: 'link', path, before: host.link(path) ?? null, after: '/dev/null' }
  })
  const units = await Promise.all(written.map(name => settingChange(host, 'unit', name, 'disabled')))
  const off = await Promise.all(areas.map(({ path }) => settingChange(host, 'swap', path, 'off')))
  const atBoot = [...linesChange(host, FSTAB, edits), ...masks, ...units.flat()]
  const notes =
    areas.length === 0 || atBoot.length > 0
      ? []
      : [`what turns ${areas.map(({ path }) => path).join(', ')} on at boot is not known: it may be on again then`]
  return { changes: [...atBoot, ...off.flat()], notes }
}
