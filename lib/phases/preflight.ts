/** Phase `preflight`: says what of this machine stands in the way of a cluster, and what fixes it; changes nothing. */

import { resolve } from 'node:path'
import type { OptionName } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { phaseRow } from '../kubeadm/config/phase-names.ts'
import type { Phase } from './phase.ts'

const OPTIONS: readonly OptionName[] = [
  'config',
  'kubernetes-version',
  'kubeadm-version',
  'ignore-preflight-errors',
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'pod-network-cidr',
  'service-cidr',
  'node-name',
  'cri-socket',
  'runtime',
  'cni',
  'profile',
  'install',
  'skip-phases',
  'root',
  'record',
  'image-repository',
  // kubeadm's; nothing is changed without it either.
  'dry-run',
]

export const preflight: Phase = {
  ...phaseRow('preflight'),
  command: {
    name: 'preflight',
    about:
      'Check whether this machine can run a cluster: what is wrong, why it matters, how to fix it. Changes nothing.',
    options: OPTIONS,
    examples: [
      'preflight.mts',
      'preflight.mts --verbose',
      'preflight.mts --config kubeadm.yaml -o json',
      'preflight.mts --kubernetes-version v1.30.2 --ignore-preflight-errors NumCPU,Mem',
    ],
  },
  run: async (call: Call): Promise<void> => {
    const { flags } = call
    const { openPhase, readConfig } = await import('./run/open-phase.ts')
    const { namedVersions } = await import('../supply/components/look-up-versions.ts')
    const { openOutput } = await import('../cli/output.ts')
    const { liveHost } = await import('../machine/host/host-source.ts')
    const { askRuntime } = await import('../supply/runtime/ask-runtime.ts')
    const { preflight, wantedOf } = await import('./preflight/refuse-machine.ts')
    const { reportOf, tableLines } = await import('./preflight/verdict-text.ts')
    const source = readConfig(flags)
    const versions = await namedVersions({ ...source, flags }, call.output, { still: true })
    const phase = openPhase(call, { ...source, versions })
    const wanted = wantedOf(phase, flags)
    let host = liveHost(resolve(flags.root ?? '/'), askRuntime)
    let save = (): void => {}
    if (flags.record !== undefined) {
      const { recordingHost, writeRecording } = await import('../machine/host/recording.ts')
      const { source, recording } = recordingHost(host)
      const folder = resolve(flags.record)
      host = source
      save = () => writeRecording(folder, recording())
    }
    const rows = await preflight(wanted, host, true)
    save()
    // The report is a value in itself, not an event.
    const { result } = openOutput({})
    if (flags.output === 'json') result(`${JSON.stringify(reportOf(rows, wanted), null, 2)}\n`)
    else {
      const color = process.stdout.isTTY === true && !process.env.NO_COLOR
      call.output.say(`[preflight] Checking this machine for Kubernetes ${phase.config.cluster.kubernetesVersion}`)
      const shown = flags.quiet ? rows.filter(({ status }) => status === 'error' || status === 'warning') : rows
      const lines = tableLines(shown, { color, all: flags.verbose === true })
      for (const line of lines) result(`${line}\n`)
    }
    const failed = new Set(rows.filter(({ status }) => status === 'error').map(({ name }) => name)).size
    if (failed === 0) return
    process.exitCode = 1
    if (flags.output === 'json') return
    call.output.warn(
      `preflight: cannot set up a cluster on this machine: ${failed} check${failed === 1 ? ' fails' : 's fail'}; fix what they found, or name them in --ignore-preflight-errors`,
    )
  },
}
