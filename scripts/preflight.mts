#!/usr/bin/env -S npx zx
/** Says what of this machine stands in the way of a cluster, and what mends it; changes nothing. */
import { resolve } from 'node:path'
import type { OptionName } from '../lib/cli/options.ts'
import { type Script, script } from '../lib/cli/script.ts'

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

export const preflight: Script = script(
  import.meta,
  {
    name: 'preflight',
    about:
      'Check this machine: what stands in the way of a cluster, why it matters and what mends it. Changes nothing.',
    options: OPTIONS,
    examples: [
      'preflight.mts',
      'preflight.mts --verbose',
      'preflight.mts --config kubeadm.yaml -o json',
      'preflight.mts --kubernetes-version v1.30.2 --ignore-preflight-errors NumCPU,Mem',
    ],
  },
  async call => {
    const { flags } = call
    const { openPhase, readConfig } = await import('../lib/phases/run/open-phase.ts')
    const { namedVersions } = await import('../lib/supply/components/look-up-versions.ts')
    const { openOutput } = await import('../lib/cli/output.ts')
    const { liveHost } = await import('../lib/machine/host/host-source.ts')
    const { askRuntime } = await import('../lib/supply/runtime/ask-runtime.ts')
    const { preflight, wantedOf } = await import('../lib/phases/preflight/refuse-machine.ts')
    const { reportOf, tableLines } = await import('../lib/phases/preflight/check-table.ts')
    const source = readConfig(flags)
    const versions = await namedVersions({ ...source, flags }, call.output, { still: true })
    const phase = openPhase(call, { ...source, versions })
    const wanted = wantedOf(phase, flags)
    let host = liveHost(resolve(flags.root ?? '/'), askRuntime)
    let save = (): void => {}
    if (flags.record !== undefined) {
      const { recordingHost, writeRecording } = await import('../lib/machine/host/recording.ts')
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
      `preflight: cannot set up a cluster on this machine: ${failed} check${failed === 1 ? ' fails' : 's fail'}; mend what they found, or name them in --ignore-preflight-errors`,
    )
  },
)
