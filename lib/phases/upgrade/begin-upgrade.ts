/** The beginning of an upgrade: all is read, checked, rendered and at hand, before anything is changed. */
import { KubestepError } from '../../base/errors.ts'
import { architecture } from '../../base/platform.ts'
import { compareVersions, formatVersion, parseVersion } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { Call } from '../../cli/script.ts'
import { etcdTag, imageList } from '../../kubeadm/images/image-list.ts'
import { storedCluster } from '../../kubeadm/upgrade/stored-cluster.ts'
import { type Artifacts, readArtifacts } from '../../supply/components/artifacts.ts'
import { prepareComponents } from '../../supply/components/fetch-components.ts'
import { fetchingOf } from '../../supply/components/fetch-options.ts'
import { reporterOf } from '../../supply/components/reporter.ts'
import { presentImages } from '../../supply/runtime/import-archives.ts'
import { openRuntime } from '../../supply/runtime/runtime.ts'
import { isNeeded, loadImages } from '../init/cluster-images.ts'
import { absentAddons, withoutAddons } from './absent-addons.ts'
import { saveSnapshot } from './etcd-copies.ts'
import { isOurKubelet, stageProgram } from './new-kubelet.ts'
import { timeLeft } from './node-access.ts'
import { type FilePlan, isChanged, type PlannedFile, plannedFiles, sayEdits } from './planned-files.ts'
import { forgetUnfinished, type Unfinished, writeUnfinished } from './unfinished.ts'
import { checkUpgrade } from './upgrade-checks.ts'
import { filePlan, type Outlook, readHere, readOutlook, targetVersion } from './upgrade-outlook.ts'
import { isNamedBy } from './upgrade-phases.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

const DEFAULT_TIMEOUT = '10m0s'

/** Reads, checks, fetches, and writes down what will be done. Throws a KubestepError with every fault. */
export async function beginUpgrade(call: Call, asked: UpgradeRequest): Promise<Unfinished> {
  const { output } = call
  // An earlier one may have been killed just before its end, or before it was written down.
  forgetUnfinished()
  const outlook = await readOutlook(call)
  try {
    const { plan, files, request } = await planUpgrade(call, asked, outlook)
    const version = plan.to.cluster.kubernetesVersion
    if (request.printConfig) output.result(stringify(storedCluster(outlook.stored)))
    if (request.steps.includes('preflight')) await checkUpgrade(outlook, plan, request, output.warn)
    output.say(`[upgrade] From ${formatVersion(plan.from.version)} to ${version}`)
    sayEdits(files, output.say)
    const kubelet = await supply(call, request, plan)
    const upgrade = {
      request,
      from: plan.from,
      to: plan.to,
      addonsFrom: plan.addonsFrom,
      isControlPlane: plan.isControlPlane,
      files: files.map(({ path, mode, before, content, component }) => ({
        path,
        mode,
        before,
        content,
        ...(component !== undefined && { component }),
      })),
      ...(kubelet !== undefined && { kubelet }),
    }
    if (plan.isControlPlane && request.steps.includes('control-plane')) await keepEtcd(call, plan)
    writeUnfinished(upgrade)
    return { ...upgrade, files: upgrade.files.filter(isChanged) }
  } finally {
    outlook.api.close()
  }
}

/** What an upgrade would write on this node, and what of it is asked for in this cluster. Throws a KubestepError, a ConfigError and an ApiError. */
export async function planUpgrade(
  call: Call,
  asked: UpgradeRequest,
  outlook: Outlook,
): Promise<{ readonly plan: FilePlan; readonly files: readonly PlannedFile[]; readonly request: UpgradeRequest }> {
  const plan = await filePlan(outlook, asked, targetVersion(outlook, asked), call)
  const absent = absentAddons(outlook, plan.to).filter(({ step }) => asked.steps.includes(step))
  for (const { why } of absent) call.output.say(why)
  const request = { ...asked, steps: asked.steps.filter(step => !absent.some(one => one.step === step)) }
  if (request.command === 'apply' && !plan.isControlPlane) {
    throw new KubestepError(
      'upgrade: cannot apply on this machine: it has no API server; apply on a control plane, and use "upgrade node" here',
    )
  }
  const wants = (phase: string): boolean => request.steps.some(step => isNamedBy(step, [phase]))
  const files = plannedFiles(plan).filter(({ component }) =>
    component === undefined ? wants('kubelet-config') : wants('control-plane'),
  )
  return {
    plan,
    files: files.filter(({ component }) => component !== 'etcd' || takesEtcd(request, plan, call)),
    request,
  }
}

/** etcd never goes back. Source: kubeadm phases/upgrade/staticpods.go (v1.36). */
function takesEtcd({ etcdUpgrade }: UpgradeRequest, { from, to }: FilePlan, { output }: Call): boolean {
  const [present, next] = [from, to].map(config => parseVersion(etcdTag(config)))
  const isOlder = present !== undefined && next !== undefined && compareVersions(next, present) < 0
  if (isOlder) output.warn(`[upgrade/etcd] etcd ${etcdTag(to)} is older than ${etcdTag(from)}: etcd stays as it is`)
  return etcdUpgrade && !isOlder
}

/** A snapshot before anything changes. An external etcd stays as it is, so that there is none is no reason to stop. */
async function keepEtcd({ output }: Call, { from }: FilePlan): Promise<void> {
  const { external } = from.cluster.etcd
  if (external !== undefined) output.say('[upgrade/etcd] etcd is external: it stays as it is')
  try {
    output.say(`[upgrade/etcd] Saved a snapshot of etcd in "${await saveSnapshot(from, readHere, new Date())}"`)
  } catch (error) {
    if (external === undefined || !(error instanceof KubestepError)) throw error
    output.warn(`[upgrade/etcd] There is no snapshot of it: ${error.message}`)
  }
}

/** Images into the runtime, programs onto this disk; gives the new kubelet where it is ours to replace. */
async function supply(
  call: Call,
  { steps, pulls }: UpgradeRequest,
  { to, isControlPlane }: FilePlan,
): Promise<Unfinished['kubelet']> {
  const { flags, output } = call
  const wants = (phase: string): boolean => steps.some(step => isNamedBy(step, [phase]))
  // A worker's kubelet pulls what it needs, but not from a folder.
  const needsImages = isControlPlane
    ? wants('control-plane') || wants('addon')
    : flags.artifacts !== undefined && wants('kubelet-config')
  const needsKubelet = wants('kubelet-config') && isOurKubelet()
  const wanted = isControlPlane ? withoutAddons(to, steps) : { ...to, joins: 'worker' as const }
  const socket = to.init.nodeRegistration.criSocket
  const lacksImages = needsImages && !(await hasImages(wanted, socket))
  if (!lacksImages && !needsKubelet) return undefined
  const deadline = AbortSignal.timeout(timeLeft(flags, DEFAULT_TIMEOUT))
  const reporter = reporterOf(call)
  const fetching = fetchingOf(flags, deadline, reporter.onProgress)
  const wish = { version: to.cluster.kubernetesVersion, arch: architecture() }
  try {
    const found: Artifacts =
      flags.artifacts !== undefined
        ? await readArtifacts(flags.artifacts, { ...wish, hasPlugins: true })
        : await prepareComponents({ ...wish, ...fetching, besides: ['kubectl'] })
    if (lacksImages) {
      const task = output.begin('images', `[upgrade] Putting the images of ${wish.version} into the runtime`)
      const runtime = await openRuntime(socket, false)
      try {
        const archives = found.imageArchives.filter(archive => isNeeded(archive, wanted))
        const sources = { archives, ...(flags.artifacts === undefined && pulls && { fetching }) }
        await loadImages(runtime, wanted, sources).all
      } finally {
        runtime.cri.close()
      }
      task.done(`[upgrade] All ${imageList(wanted).length} images are there`)
    }
    if (!needsKubelet) return undefined
    if (found.kubectl !== undefined) stageProgram('kubectl', found.kubectl)
    return { program: stageProgram('kubelet', found.kubelet) }
  } finally {
    reporter.end()
  }
}

async function hasImages(config: Parameters<typeof imageList>[0], socket: string): Promise<boolean> {
  const { cri } = await openRuntime(socket, false)
  try {
    const present = await presentImages(cri)
    return imageList(config).every(image => present.has(image))
  } finally {
    cri.close()
  }
}
