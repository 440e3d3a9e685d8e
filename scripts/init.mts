#!/usr/bin/env -S npx zx
/** Brings up a control plane on this machine; with --dry-run writes everything it would write into a folder. */
import { bringUp, type ClusterUp } from '../lib/cluster/bring-up.ts'
import { describeRun } from '../lib/cluster/describe-run.ts'
import { renderCluster } from '../lib/cluster/render.ts'
import { openJournal } from '../lib/journal.ts'
import { LAYOUT } from '../lib/layout.ts'
import { takeLock } from '../lib/lock.ts'
import type { OptionName } from '../lib/options.ts'
import { openPhase, PHASE_OPTIONS, type Phase } from '../lib/phase.ts'
import { type Call, type Script, script } from '../lib/script.ts'

const OPTIONS: readonly OptionName[] = [
  ...PHASE_OPTIONS,
  'image-repository',
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'apiserver-cert-extra-sans',
  'control-plane-endpoint',
  'pod-network-cidr',
  'service-cidr',
  'service-dns-domain',
  'node-name',
  'cri-socket',
  'cert-dir',
  'certificate-key',
  'upload-certs',
  'patches',
  'feature-gates',
  'skip-phases',
  'ignore-preflight-errors',
  'token',
  'token-ttl',
  'skip-token-print',
  'skip-certificate-key-print',
  'artifacts',
  'runtime',
  'cni',
  'wait',
  'timeout',
]

export const init: Script = script(
  import.meta,
  {
    name: 'init',
    about: 'Set up the control plane of a Kubernetes cluster on this machine.',
    options: OPTIONS,
    examples: [
      'init.mts --dry-run --output-dir ./tree',
      'init.mts --dry-run --config kubeadm.yaml',
      'init.mts --dry-run --kubernetes-version v1.18.3 --image-repository registry.aliyuncs.com/google_containers',
    ],
  },
  async call => {
    const phase = openPhase(call)
    call.output.say(`[init] Using Kubernetes version: ${phase.config.cluster.kubernetesVersion}`)
    if (phase.dryRun) {
      const rendered = await renderCluster(phase, call, new Date())
      phase.write(rendered.files)
      for (const line of describeRun(phase, rendered)) call.output.say(line)
      return
    }
    const { gates, timings } = await live(phase, call)
    for (const { name, afterMs } of gates) call.output.say(`[ready] ${name} after ${afterMs} ms`)
    call.output.say(`[init] ${JSON.stringify(timings)}`)
  },
)

async function live(phase: Phase, call: Call): Promise<ClusterUp> {
  const release = takeLock(LAYOUT.lock, 'init')
  try {
    return await bringUp(phase, call, openJournal(LAYOUT.journal))
  } finally {
    release()
  }
}
