/** Phase `kubelet-finalize`: points kubelet.conf to the certificate that the kubelet rotates. */

import { KubestepError, reasonOf } from '../base/errors.ts'
import type { InitConfig } from '../base/kubeadm.ts'
import { KUBERNETES } from '../base/paths.ts'
import { PHASE_OPTIONS } from '../cli/options.ts'
import type { Call } from '../cli/script.ts'
import { isSkipped, phaseRow } from '../kubeadm/config/phase-names.ts'
import {
  type KubeletIdentity,
  kubeletIdentity,
  rotatedCertificatePath,
  rotatedKubeconfig,
} from '../kubeadm/kubelet/rotation.ts'
import type { FileEntry } from '../machine/files.ts'
import { KUBELET } from '../machine/service/kubelet-service.ts'
import { serviceManager } from '../machine/service/manager.ts'
import type { Phase } from './phase.ts'
import { isLive } from './run/live-node.ts'
import { requireRoot } from './run/machine-session.ts'
import { openPhase } from './run/open-phase.ts'

export const kubeletFinalize: Phase = {
  ...phaseRow('kubelet-finalize'),
  command: {
    name: 'kubelet-finalize',
    about: "Update the kubelet's settings after it has got a client certificate of its own.",
    options: [...PHASE_OPTIONS, 'cert-dir'],
    subcommands: [
      { name: 'all', about: 'Run all kubelet-finalize phases' },
      { name: 'enable-client-cert-rotation', about: 'Point kubelet.conf to the certificate that the kubelet rotates' },
    ],
    examples: ['kubelet-finalize.mts', 'kubelet-finalize.mts --dry-run --output-dir ./tree'],
  },
  run: async (call: Call): Promise<void> => {
    const phase = openPhase(call)
    const certificate = rotatedCertificatePath(phase.config)
    if (phase.read(certificate) === undefined) {
      call.output.detail(`[kubelet-finalize] The kubelet does not rotate its certificate: there is no "${certificate}"`)
      return
    }
    const text = phase.read(KUBERNETES.kubeletConf)
    if (text === undefined) {
      throw new KubestepError(
        `kubelet-finalize: cannot read "${phase.place(KUBERNETES.kubeletConf)}": it does not exist; make it with the kubeconfig script`,
      )
    }
    const live = isLive(phase)
    if (live) requireRoot(call.name)
    phase.write([
      {
        path: KUBERNETES.kubeletConf,
        mode: 0o600,
        content: rotated(text, certificate, phase.place(KUBERNETES.kubeletConf)),
      },
    ])
    call.output.say(
      `[kubelet-finalize] Updating "${KUBERNETES.kubeletConf}" to point to a rotatable kubelet client certificate and key`,
    )
    if (!live) return
    const restarted = await serviceManager().restart(KUBELET)
    call.output.say(
      restarted
        ? '[kubelet-finalize] Restarting the kubelet'
        : '[kubelet-finalize] Please ensure the kubelet is restarted: there is no service of that name',
    )
  },
}

function rotated(text: string, certificate: string, shown: string): string {
  try {
    return rotatedKubeconfig(text, certificate)
  } catch (error) {
    throw new KubestepError(
      `kubelet-finalize: cannot use "${shown}": ${reasonOf(error)}; make it again with the kubeconfig script`,
      { cause: error },
    )
  }
}

/** Files of a node before its kubelet starts. */
export interface FinalFiles {
  readonly files: readonly FileEntry[]
  /** A link beside the kubelet's certificate, as its own rotation makes it. */
  readonly link?: KubeletIdentity['link']
  /** Paths of files that are there already, and change. */
  readonly changed: readonly string[]
}

/** What was rendered, with kubelet.conf in its final form, also one that is there already (`read` reads the host). */
export function finalFiles(
  config: InitConfig,
  rendered: readonly FileEntry[],
  read: (path: string) => string | undefined,
  now: Date,
): FinalFiles {
  const made = rendered.find(({ path }) => path === KUBERNETES.kubeletConf)
  const there = read(KUBERNETES.kubeletConf)
  const conf = made ?? (there === undefined ? undefined : { path: KUBERNETES.kubeletConf, mode: 0o600, content: there })
  const isFinal = isSkipped('kubelet-finalize/enable-client-cert-rotation', config.init.skipPhases)
  const identity = conf === undefined || isFinal ? undefined : kubeletIdentity(config, conf, now)
  if (identity === undefined) return { files: rendered, changed: [] }
  return {
    files: [...rendered.filter(file => file !== made), ...identity.files],
    link: identity.link,
    changed: there === undefined ? [] : [KUBERNETES.kubeletConf],
  }
}
