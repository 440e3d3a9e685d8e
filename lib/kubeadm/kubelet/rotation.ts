/** kubelet.conf after the kubelet has begun to rotate its client certificate: it names the file that is rotated. */

import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parse, stringify } from '../../base/yaml.ts'
import type { FileEntry } from '../../machine/files.ts'
import { argumentValue } from '../manifests/command-line.ts'

/** The link that the kubelet turns to its newest certificate and key. Source: cmd/phases/init/kubeletfinalize.go (v1.36). */
export function rotatedCertificatePath({ init }: Pick<InitConfig, 'init'>): string {
  const folder = argumentValue(init.nodeRegistration.kubeletExtraArgs, 'cert-dir') ?? KUBERNETES.kubeletPki
  return `${folder.replace(/\/+$/, '')}/kubelet-client-current.pem`
}

/**
 * The kubeconfig with the current context's user pointed to `certificate`, embedded data taken out.
 * Throws a RangeError that says what is wrong with the text.
 */
export function rotatedKubeconfig(text: string, certificate: string): string {
  const config = parse(text)
  if (!isObject(config)) throw new RangeError('it is not a mapping')
  const current = config['current-context']
  if (typeof current !== 'string' || current === '') throw new RangeError('it has no current context')
  const context = find(config.contexts, current)?.context
  if (!isObject(context)) throw new RangeError(`it has no context ${JSON.stringify(current)}`)
  const user = find(config.users, context.user)
  if (user === undefined) throw new RangeError(`it has no user ${JSON.stringify(context.user)}`)
  const { 'client-certificate-data': _, 'client-key-data': __, ...rest } = isObject(user.user) ? user.user : {}
  const changed = { ...user, user: { ...rest, 'client-certificate': certificate, 'client-key': certificate } }
  const users = (config.users as readonly Json[]).map(one => (one === user ? changed : one))
  return stringify({ ...config, users })
}

function find(list: Json | undefined, name: Json | undefined): JsonObject | undefined {
  const found = Array.isArray(list) ? list.find((one: Json) => isObject(one) && one.name === name) : undefined
  return isObject(found) ? found : undefined
}

export interface KubeletIdentity {
  readonly files: readonly FileEntry[]
  /** A link beside the first file, as the kubelet's own rotation makes it. */
  readonly link: { readonly path: string; readonly target: string }
}

/**
 * The kubelet's certificate and kubelet.conf in their final form. kubeadm writes them embedded and has the kubelet
 * started a second time once it has copied them to where it rotates them (kubelet-finalize): this saves the restart.
 * undefined when it holds no certificate and key, but names files of the user's own.
 */
export function kubeletIdentity(config: InitConfig, kubeletConf: FileEntry, now: Date): KubeletIdentity | undefined {
  const link = rotatedCertificatePath(config)
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-').replace('T', '-')
  const target = `kubelet-client-${stamp}.pem`
  const text = kubeletConf.content.toString()
  const { users } = parse(text) as { users: readonly { user: Readonly<Record<string, string>> }[] }
  const user = users[0]?.user ?? {}
  if (!user['client-certificate-data'] || !user['client-key-data']) return undefined
  const pem = ['client-certificate-data', 'client-key-data']
    .map(field => Buffer.from(user[field] ?? '', 'base64').toString())
    .join('')
  return {
    files: [
      { path: link.replace(/[^/]+$/, target), mode: 0o600, content: pem },
      { ...kubeletConf, content: rotatedKubeconfig(text, link) },
    ],
    link: { path: link, target },
  }
}
