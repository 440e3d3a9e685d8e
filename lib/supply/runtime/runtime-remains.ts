/**
 * What is in a containerd's folders, for the one that is gone: its containers, and what was made for their network
 * outside of these folders.
 */

import { isObject, type JsonObject } from '../../base/json.ts'
import { NODE } from '../../base/paths.ts'
import { listFolder, readTextOrEmpty } from '../../machine/files.ts'

export interface ContainerdFolders {
  readonly root: string
  readonly state: string
}

export interface Remains {
  /** Ids of containers and sandboxes. */
  readonly ids: readonly string[]
  /** Files of network namespaces. */
  readonly namespaces: readonly string[]
}

/** Source: containerd runtime/v2 bundle.go, pkg/cri/config (GetRootDir, GetStateDir) (1.6 to 2.1). */
export function readRemains({ root, state }: ContainerdFolders): Remains {
  const tasks = `${state}/io.containerd.runtime.v2.task`
  const bundles = namesIn(tasks).flatMap(space => namesIn(`${tasks}/${space}`).map(id => ({ space, id })))
  const cri = [`${root}/io.containerd.grpc.v1.cri`, `${state}/io.containerd.grpc.v1.cri`]
  const known = cri.flatMap(folder => [...namesIn(`${folder}/sandboxes`), ...namesIn(`${folder}/containers`)])
  const texts = bundles.map(({ space, id }) => readTextOrEmpty(`${tasks}/${space}/${id}/config.json`))
  return {
    ids: [...new Set([...bundles.map(({ id }) => id), ...known])],
    namespaces: [...new Set(texts.flatMap(networkNamespace))],
  }
}

/** The file of the network namespace in the text of a bundle's config.json. Source: OCI runtime spec, linux.namespaces. */
export function networkNamespace(text: string): string[] {
  const { namespaces } = (parsed(text).linux ?? {}) as JsonObject
  if (!Array.isArray(namespaces)) return []
  return (namespaces as readonly JsonObject[])
    .filter(({ type, path }) => type === 'network' && typeof path === 'string' && path.startsWith('/'))
    .map(({ path }) => String(path).replace(/^\/var\/run\//, '/run/'))
    .filter(path => path.startsWith(`${NODE.namespaces}/`))
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value as JsonObject) ? (value as JsonObject) : {}
  } catch {
    return {}
  }
}

function namesIn(path: string): readonly string[] {
  return listFolder('/', path) ?? []
}
