/** Every object that init puts into the API server, phase by phase in the order of application. */
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSkipped } from '../config/phase-names.ts'
import { adminObjects } from './admin.ts'
import { bootstrapTokenObjects } from './bootstrap-token-objects.ts'
import { asSerialised, type ClusterObject, created } from './cluster-object.ts'
import { corednsObjects } from './coredns.ts'
import { kubeProxyObjects } from './kube-proxy.ts'
import { controlPlanePatch, nodePatch } from './node-patch.ts'
import type { ObjectContext, ObjectInputs } from './object-inputs.ts'
import { uploadCertsObjects } from './upload-certs-objects.ts'
import { criSocketPatch, kubeadmConfigObjects, kubeletConfigObjects } from './upload-config-objects.ts'

interface PhaseRow {
  /** kubeadm's name, parent first. */
  readonly phase: string
  readonly objects: (context: ObjectContext) => readonly ClusterObject[]
}

/** Source: kubeadm cmd/init.go, the order of its phases (v1.18 to v1.36). */
export const OBJECT_PHASES: readonly PhaseRow[] = [
  // kubeadm's dry run does not show this one: it is made while the client is set up.
  { phase: 'wait-control-plane', objects: ({ config }) => created('wait-control-plane', adminObjects(config.kubeadm)) },
  creating('upload-config/kubeadm', kubeadmConfigObjects),
  {
    phase: 'upload-config/kubelet',
    objects: context => {
      const phase = 'upload-config/kubelet'
      const patch = criSocketPatch(context)
      return [
        ...created(phase, kubeletConfigObjects(context)),
        ...(patch === undefined ? [] : [nodePatch(phase, context, patch)]),
      ]
    },
  },
  creating('upload-certs', uploadCertsObjects),
  {
    phase: 'mark-control-plane',
    objects: context => [nodePatch('mark-control-plane', context, controlPlanePatch(context))],
  },
  creating('bootstrap-token', bootstrapTokenObjects),
  creating('addon/coredns', corednsObjects),
  creating('addon/kube-proxy', kubeProxyObjects),
]

function creating(phase: string, objects: (context: ObjectContext) => Parameters<typeof created>[1]): PhaseRow {
  return { phase, objects: context => created(phase, objects(context)) }
}

/**
 * The objects of the given phases (a parent stands for its sub-phases); of all phases that the configuration does not
 * skip when none are given. Throws what the phases throw: ConfigError, KubestepError.
 */
export function clusterObjects(
  config: InitConfig,
  facts: ObjectContext['facts'],
  inputs: ObjectInputs,
  phases?: readonly string[],
): ClusterObject[] {
  const context: ObjectContext = { config, facts, inputs }
  const skipped = config.init.skipPhases ?? []
  return OBJECT_PHASES.filter(({ phase }) =>
    phases === undefined ? !isSkipped(phase, skipped) : isNamed(phase, phases),
  )
    .flatMap(({ objects }) => objects(context))
    .map(({ object, shown, ...rest }) => ({
      ...rest,
      object: rest.verb === 'CREATE' ? asSerialised(object, config.kubeadm) : object,
      ...(shown !== undefined && { shown: asSerialised(shown, config.kubeadm) }),
    }))
}

function isNamed(phase: string, names: readonly string[]): boolean {
  return names.some(name => phase === name || phase.startsWith(`${name}/`))
}
