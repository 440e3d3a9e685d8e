/** Which Pod a sandbox is for, from what containerd writes down before it starts the sandbox. */
import { join } from 'node:path'
import { type JsonObject, objectOf } from '../../base/json.ts'
import { LAYOUT } from '../../base/paths.ts'
import { readTextOrEmpty } from '../../machine/files.ts'

export interface PodName {
  readonly namespace: string
  readonly name: string
}

/** Where a containerd of ours, and a packaged one, have their state. */
export const RUNTIME_STATES: readonly string[] = [LAYOUT.containerd.state, '/run/containerd']

/** Undefined as long as there is nothing about it. Source: containerd pkg/cri/annotations (1.6 to 2.1). */
export function sandboxPod(id: string, states: readonly string[] = RUNTIME_STATES): PodName | undefined {
  for (const state of states) {
    const text = readTextOrEmpty(join(state, 'io.containerd.runtime.v2.task/k8s.io', id, 'config.json'))
    const pod = text === '' ? undefined : podIn(text)
    if (pod !== undefined) return pod
  }
  return undefined
}

function podIn(text: string): PodName | undefined {
  try {
    const { annotations } = JSON.parse(text) as JsonObject
    const { [`${PREFIX}-namespace`]: namespace, [`${PREFIX}-name`]: name } = objectOf(annotations)
    return typeof namespace === 'string' && typeof name === 'string' ? { namespace, name } : undefined
  } catch {
    // It is not written to its end yet.
    return undefined
  }
}

const PREFIX = 'io.kubernetes.cri.sandbox'
