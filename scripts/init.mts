#!/usr/bin/env -S npx zx
import { reasonOf, UsageError } from '../lib/base/errors.ts'
/** Brings up a control plane on this machine; with --dry-run writes everything it would write into a folder. */
import { KUBERNETES } from '../lib/base/paths.ts'
import { type OptionName, PHASE_OPTIONS } from '../lib/cli/options.ts'
import { type Script, script } from '../lib/cli/script.ts'

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
  'profile',
  'artifacts',
  'mirror',
  'cache-dir',
  'lock',
  'offline',
  'runtime',
  'install',
  'cni',
  'addons',
  'registry',
  'nodes',
  'control-planes',
  'workers',
  'kind-config',
  'wait',
  'timeout',
  'owner',
  'list-images',
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
  async given => {
    // Loaded when they are needed: --help and a wrong flag do without all of it, a dry run without the live part.
    const { openPhase } = await import('../lib/phases/run/open-phase.ts')
    const { namedVersions } = await import('../lib/supply/components/look-up-versions.ts')
    const { readGivenNodes, refuseVersions } = await import('../lib/phases/init/given-nodes.ts')
    const { nodes, source, version, ...told } = readGivenNodes(given.flags)
    const call = { ...given, flags: told.flags }
    const versions = await namedVersions({ ...source, flags: call.flags }, call.output)
    const { forNodes } = await import('../lib/phases/nodes/node-plan.ts')
    const opened = openPhase(call, { ...source, versions }, { wholeTree: true })
    const phase = { ...opened, config: forNodes(opened.config, nodes) }
    refuseVersions({ nodes, ...(version !== undefined && { version }) }, phase.config)
    if (call.flags['list-images']) {
      const { imageList } = await import('../lib/kubeadm/images/image-list.ts')
      call.output.result(`${imageList(phase.config).join('\n')}\n`)
      return
    }
    call.output.say(`[init] Using Kubernetes version: ${phase.config.cluster.kubernetesVersion}`)
    if (phase.dryRun) {
      const { renderCluster, treeOf } = await import('../lib/phases/init/render-cluster.ts')
      const { describeRun } = await import('../lib/phases/init/describe-run.ts')
      const { checkFlags } = await import('../lib/phases/init/check-flags.ts')
      await checkFlags({ ...phase, nodes }, call.flags)
      const rendered = await renderCluster(phase, call, new Date())
      const tree = treeOf(rendered)
      phase.write(tree)
      for (const line of await describeRun(phase, { ...rendered, files: tree }, call.flags)) call.output.say(line)
      return
    }
    if (phase.target !== '/') {
      throw new UsageError(
        `init: cannot bring up a cluster below "${phase.target}": it takes the whole machine; leave --root out, or write the tree alone with --dry-run`,
      )
    }
    const { which } = await import('../lib/machine/command.ts')
    const { bringUp } = await import('../lib/phases/init/bring-up.ts')
    const { withSession } = await import('../lib/phases/init/init-session.ts')
    const { facts, summary } = await import('../lib/phases/init/init-summary.ts')
    const up = await withSession(call, journal => bringUp({ ...phase, nodes }, call, journal))
    const { flags } = call
    const adminConf = phase.read(KUBERNETES.adminConf)
    for (const line of summary(up, { flags, adminConf, hasKubectl: which('kubectl') !== undefined }))
      call.output.say(line)
    call.output.event('ready', facts(up))
    // The cluster is up whether or not the next one can begin with its images.
    const kept = await up.keepImages?.().catch((error: unknown) => call.output.detail(`[init] ${reasonOf(error)}`))
    if (kept) call.output.detail(`[init] The next init begins with the images that are kept in "${kept}"`)
  },
)
