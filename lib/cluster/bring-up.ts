/**
 * The road of a real init, from an empty machine to a cluster that is ready. Not a line but a graph: what does not
 * depend on each other runs at once, and every wait ends on an event or a short poll.
 */
import { constants, copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatAddress, nthAddress, parseSubnet } from '../address.ts'
import { type Api, openApi } from '../api/client.ts'
import { readCredentials } from '../api/credentials.ts'
import { which } from '../command.ts'
import type { InitConfig } from '../config/types.ts'
import { type Broken, firstBroken } from '../diagnose/links.ts'
import { durationMilliseconds } from '../duration.ts'
import { KubestepError } from '../errors.ts'
import { type FileEntry, writeFiles, writeLink } from '../files.ts'
import { readMachineFacts } from '../host/machine.ts'
import { readSysctl, SYSCTLS, writeSysctl } from '../host/sysctl.ts'
import { imageList, imageOf } from '../images/images.ts'
import type { Journal } from '../journal.ts'
import { localUrl } from '../kubeconfig/kubeconfigs.ts'
import { LAYOUT } from '../layout.ts'
import { applyRules } from '../network/firewall.ts'
import type { Phase } from '../phase.ts'
import { GATES, type GateContext } from '../ready/gates.ts'
import { type GateResult, waitForGates } from '../ready/wait.ts'
import { chooseRuntime, type Runtime } from '../runtime/runtime.ts'
import type { Call } from '../script.ts'
import { kubeletService } from '../service/kubelet.ts'
import { serviceManager } from '../service/manager.ts'
import type { ServiceManager } from '../service/service.ts'
import { startTimings } from '../timings.ts'
import { adaptToMachine } from './adapt.ts'
import { applyObjects } from './apply-objects.ts'
import { loadImages, openChosenRuntime, socketOf } from './live-runtime.ts'
import { kubeletIdentity, podNetworkFile } from './node-files.ts'
import { plannedChanges } from './plan.ts'
import { DEFAULT_POD_SUBNET } from './pod-network.ts'
import { renderCluster } from './render.ts'

const DEFAULT_TIMEOUT = '4m0s'

export interface ClusterUp {
  readonly config: InitConfig
  readonly gates: readonly GateResult[]
  readonly timings: Readonly<Record<string, number>>
}

/** Brings the cluster up. The journal gets every change before it is made. Throws a KubestepError that names the cause. */
export async function bringUp(phase: Phase, call: Call, journal: Journal): Promise<ClusterUp> {
  const { output, flags } = call
  const timings = startTimings()
  const deadline = AbortSignal.timeout(durationMilliseconds(flags.timeout ?? DEFAULT_TIMEOUT))
  const services = serviceManager()
  const machine = readMachineFacts()

  const choice = await chooseRuntime(flags.runtime ?? 'auto', phase.facts.criSockets)
  const socket = socketOf(choice)
  const driver = choice.kind === 'socket' ? choice.runtime.cgroupDriver : undefined
  const adapted = adaptToMachine(withSocket(phase.config, socket), {
    ...machine,
    ...(driver && { cgroupDriver: driver }),
  })
  const config = adapted.config
  for (const notice of adapted.notices) output.say(notice)

  for (const change of await plannedChanges(config, choice.kind === 'socket' ? choice.runtime : undefined))
    journal.record(change)
  setSysctls(config)

  const binaries = findBinaries(flags.artifacts)
  const now = new Date()
  const starting = openChosenRuntime(choice, config, machine, services, binaries.cniBinDir)
  const rendering = renderCluster({ ...phase, config }, call, now)
  const loading = starting.then(runtime => {
    timings.mark('runtime')
    return loadImages(runtime, imageList(config), flags.artifacts)
  })
  loading.catch(() => {})
  rendering.catch(() => {})

  const runtime = await starting
  const rendered = await rendering
  const files = nodeFiles(rendered.files, config, runtime, flags.cni ?? 'bridge', now)
  const isLater = (path: string): boolean => /kube-(controller-manager|scheduler)\.yaml$/.test(path)
  writeFiles(
    '/',
    files.entries.filter(({ path }) => !isLater(path)),
  )
  writeLink('/', files.link.path, files.link.target)
  if ((flags.cni ?? 'bridge') === 'bridge') await setRules(config)
  const images = await loading
  await images.first
  timings.mark('first images')

  await services.start(kubeletService(binaries.kubelet))
  timings.mark('kubelet started')
  const api = openAdminApi(config, rendered.files)
  const context = gateContext(config, api)
  try {
    await images.all
    timings.mark('all images')
    writeFiles(
      '/',
      files.entries.filter(({ path }) => isLater(path)),
    )
    await waitForApi(api, deadline)
    timings.mark('API answers')
    await applyObjects(api, rendered.objects, deadline)
    timings.mark('objects applied')
    const wanted = chosenGates(flags.wait)
    const gates = await waitForGates(
      GATES.filter(({ name }) => wanted(name)),
      context,
      deadline,
      ({ name }) => timings.mark(name),
    )
    const failed = gates.find(({ passed }) => !passed)
    if (failed !== undefined) throw new KubestepError(`init: cannot reach "${failed.name}" in time: ${failed.reason}`)
    return { config, gates, timings: timings.marks() }
  } catch (error) {
    const broken = await diagnose(services, runtime, api, config)
    if (broken === undefined || !(error instanceof KubestepError)) throw error
    throw new KubestepError(
      [
        `${error.message}`,
        `init: the first broken link is the ${broken.link}: ${broken.cause}`,
        ...broken.lines.map(line => `  ${line}`),
      ].join('\n'),
      {
        cause: error,
      },
    )
  } finally {
    api.close()
    runtime.cri.close()
  }
}

function withSocket(config: InitConfig, criSocket: string): InitConfig {
  return { ...config, init: { ...config.init, nodeRegistration: { ...config.init.nodeRegistration, criSocket } } }
}

function setSysctls(config: InitConfig): void {
  const { podSubnet = '', serviceSubnet } = config.cluster.networking
  const hasIpv6 = `${podSubnet}${serviceSubnet}`.includes(':')
  for (const { key, value, ipv6 } of SYSCTLS) {
    const before = readSysctl(key)
    if (value === undefined || before === undefined || before === value || (ipv6 && !hasIpv6)) continue
    writeSysctl(key, value)
  }
}

interface Binaries {
  readonly kubelet: string
  readonly cniBinDir: string
}

function findBinaries(artifacts: string | undefined): Binaries {
  const given = artifacts === undefined ? undefined : join(artifacts, 'bin/kubelet')
  const source = given !== undefined && existsSync(given) ? given : which('kubelet')
  if (source === undefined)
    throw new KubestepError('init: cannot find the kubelet: it is not on the PATH; give a folder with --artifacts')
  const kubelet = join(LAYOUT.binaries, 'kubelet')
  writeFiles('/', [{ path: `${LAYOUT.binaries}/.keep`, mode: 0o644, content: '' }])
  copyFileSync(source, kubelet, constants.COPYFILE_FICLONE)
  const cni = artifacts === undefined ? undefined : join(artifacts, 'cni/bin')
  return { kubelet, cniBinDir: cni !== undefined && existsSync(cni) ? cni : '/usr/lib/cni' }
}

function nodeFiles(
  rendered: readonly FileEntry[],
  config: InitConfig,
  runtime: Runtime,
  cni: string,
  now: Date,
): { entries: FileEntry[]; link: { path: string; target: string } } {
  const kubeletConf = rendered.find(({ path }) => path.endsWith('/kubelet.conf'))
  const others = rendered.filter(file => file !== kubeletConf && file.path !== '/cluster-objects.yaml')
  const identity =
    kubeletConf === undefined
      ? { files: [], link: { path: '', target: '' } }
      : kubeletIdentity(config, kubeletConf, now)
  const network = cni === 'bridge' ? [podNetworkFile(config, runtime.cni.confDir)] : []
  return { entries: [...others, ...identity.files, ...network], link: identity.link }
}

async function setRules(config: InitConfig): Promise<void> {
  const pods = (config.cluster.networking.podSubnet ?? DEFAULT_POD_SUBNET).split(',')
  const serviceRanges = config.cluster.networking.serviceSubnet.split(',')
  for (const family of [4, 6] as const) {
    const isOf = (subnet: string): boolean => parseSubnet(subnet.trim())?.address.family === family
    const podSubnet = pods.find(isOf)
    const serviceSubnet = serviceRanges.find(isOf)
    if (podSubnet !== undefined && serviceSubnet !== undefined) await applyRules({ family, podSubnet, serviceSubnet })
  }
}

/** A client with rights from the first moment: since 1.29 admin.conf has none until its binding exists. */
function openAdminApi(config: InitConfig, files: readonly FileEntry[]): Api {
  const file =
    files.find(({ path }) => path.endsWith('/super-admin.conf')) ??
    files.find(({ path }) => path.endsWith('/admin.conf'))
  if (file === undefined)
    throw new KubestepError('init: cannot talk to the API server: there is no admin.conf; do not skip kubeconfig/admin')
  return openApi(readCredentials(file.content.toString(), file.path, () => undefined, localUrl(config)))
}

const API_POLL_MS = 50

async function waitForApi(api: Api, deadline: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await api.send('GET', '/version').catch((error: unknown) => error as Error)
    if (!(answer instanceof Error) && answer.status === 200) return
    if (deadline.aborted) {
      const reason = answer instanceof Error ? answer.message : `status ${answer.status}`
      throw new KubestepError(`init: cannot reach the API server in time: ${reason}`)
    }
    await sleep(API_POLL_MS)
  }
}

function chosenGates(wait: string | undefined): (name: string) => boolean {
  if (wait === undefined || wait === 'all') return () => true
  const names = wait === 'none' ? [] : wait.split(',')
  return name => names.includes(name)
}

function gateContext(config: InitConfig, api: Api): GateContext {
  const { networking, dns, proxy } = config.cluster
  const subnet = parseSubnet(networking.serviceSubnet.split(',')[0] ?? '')
  const nth = (index: number): string => {
    const address = subnet === undefined ? undefined : nthAddress(subnet, index)
    return address === undefined ? '' : formatAddress(address)
  }
  return {
    api,
    version: config.version,
    nodeName: config.init.nodeRegistration.name,
    dnsDomain: networking.dnsDomain,
    apiServiceAddress: nth(1),
    dnsServiceAddress: nth(10),
    pauseImage: imageOf('pause', config),
    hasProxy: !proxy.disabled,
    hasDns: !dns.disabled,
  }
}

async function diagnose(
  services: ServiceManager,
  runtime: Runtime,
  api: Api,
  config: InitConfig,
): Promise<Broken | undefined> {
  const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const
  const local = names.filter(name => name !== 'etcd' || config.cluster.etcd.local !== undefined)
  return firstBroken({
    services,
    cri: runtime.cri,
    api,
    staticPods: local.map(name => ({ name, image: imageOf(name, config) })),
    pauseImage: imageOf('pause', config),
  })
}
