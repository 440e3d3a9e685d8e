/** Phase `kubelet-wait-bootstrap`: until the kubelet has its certificate, and its Node is there. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { type Api, openApi } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { localUrl } from '../../kubeadm/credentials/kubeconfigs.ts'
import { rotatedCertificatePath } from '../../kubeadm/kubelet/rotation.ts'
import { readFile, removeFiles } from '../../machine/files.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import type { JoinRun } from './join-run.ts'
import { partOf } from './node-state.ts'

const POLL_MS = 50

/** A certificate that takes longer than that has something in its way. */
const USUAL_MS = 15_000

/** Source: kubeadm cmd/phases/join/kubelet.go (v1.36), which removes the file of the token also when it has failed. */
export async function waitForBootstrap(run: JoinRun): Promise<void> {
  const { call, config, dryRun, deadline, timings } = run
  const { output } = call
  if (dryRun) {
    output.say('[dryrun] Would wait for the kubelet to get its certificate')
    return
  }
  const certificate = rotatedCertificatePath({ init: { nodeRegistration: config.nodeRegistration } as never })
  const limit = AbortSignal.any([deadline, AbortSignal.timeout(timerMilliseconds(config.timeouts.tlsBootstrap))])
  const start = Date.now()
  const task = output.begin(
    'TLS bootstrap',
    '[kubelet-wait-bootstrap] Waiting for the kubelet to perform the TLS bootstrap',
  )
  let isAsked = false
  const api = await ownApi(run)
  while (!existsSync(certificate) || !existsSync(KUBERNETES.kubeletConf)) {
    if (limit.aborted)
      throw new KubestepError(
        `kubelet-wait-bootstrap: cannot get a certificate for the kubelet in time\n${await kubeletLog()}`,
      )
    if (!isAsked && Date.now() - start > USUAL_MS) {
      isAsked = true
      const reason = await whyNotSigned(run).catch(() => undefined)
      if (reason?.isFinal)
        throw new KubestepError(`kubelet-wait-bootstrap: cannot get a certificate for the kubelet: ${reason.text}`)
      if (reason !== undefined) task.tell(reason.text)
    }
    await api?.restartWhenThere()
    await sleep(POLL_MS)
  }
  api?.close()
  removeFiles('/', [KUBERNETES.bootstrapConf])
  timings.mark('certificate')
  task.done(`[kubelet-wait-bootstrap] The kubelet has its certificate`)
}

/**
 * The kubelet of a control plane node asks its own API server, which comes later than it does, and waits twice as long
 * after each try that fails: it is started again when the API server lets it in.
 */
async function ownApi(run: JoinRun): Promise<{ restartWhenThere: () => Promise<void>; close: () => void } | undefined> {
  const { role, isWhole } = run
  if (role === 'worker' || !isWhole) return undefined
  const { config } = await run.node()
  const { ca, identity } = await run.cluster()
  const api = openApi({ server: localUrl(config), ca, ...identity })
  let isDone = readFile('/', KUBERNETES.bootstrapConf)?.includes(localUrl(config)) !== true
  const restartWhenThere = async (): Promise<void> => {
    if (isDone) return
    isDone = await api.get(`/api/v1/nodes/${config.init.nodeRegistration.name}`).then(
      () => true,
      () => false,
    )
    if (isDone) await serviceManager().restart(KUBELET)
  }
  return { restartWhenThere, close: api.close }
}

/** A client with the rights of this machine's kubelet. */
export function openNodeApi(server?: string): Api {
  const read = (path: string): string | undefined => readFile('/', path)
  const text = read(KUBERNETES.kubeletConf) ?? ''
  return openApi(readCredentials(text, KUBERNETES.kubeletConf, read, server))
}

const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

async function whyNotSigned(run: JoinRun): Promise<{ readonly text: string; readonly isFinal: boolean } | undefined> {
  const user = `system:node:${run.config.nodeRegistration.name}`
  const list = await (await run.api()).get(REQUESTS)
  const items = Array.isArray(list?.items) ? list.items.filter(isObject) : []
  const own = items.filter(item => requestText(item).includes(user))
  const newest = own.at(-1)
  if (newest === undefined) return undefined
  const { conditions, certificate } = partOf(newest, 'status')
  const types = Array.isArray(conditions) ? conditions.filter(isObject).map(({ type }) => String(type)) : []
  const name = String(partOf(newest, 'metadata').name)
  if (types.includes('Denied')) return { text: `its request "${name}" was denied`, isFinal: true }
  if (types.includes('Approved') && !certificate) {
    return {
      text: `its request "${name}" is approved and not signed: does the controller manager have the key of the CA (--cluster-signing-key-file)?`,
      isFinal: false,
    }
  }
  return { text: `nobody has approved its request "${name}": kubectl certificate approve ${name}`, isFinal: false }
}

// DER, in which names stand as they are.
function requestText(item: JsonObject): string {
  const pem = Buffer.from(String(partOf(item, 'spec').request ?? ''), 'base64').toString()
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64').toString('latin1')
}

async function kubeletLog(): Promise<string> {
  return serviceManager()
    .log(KUBELET, 5)
    .catch(() => '')
}
