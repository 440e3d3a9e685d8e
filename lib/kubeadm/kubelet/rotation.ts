/** kubelet.conf after the kubelet has begun to rotate its client certificate: it names the file that is rotated. */

import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { parse, stringify } from '../../base/yaml.ts'
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
