/** A machine that joins as a worker, by our join and by kubeadm's: from the command to a Ready Node, with images in place. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../lib/base/errors.ts'
import { KUBERNETES, LAYOUT } from '../../lib/base/paths.ts'
import { stringify } from '../../lib/base/yaml.ts'
import { openAdminApi } from '../../lib/cluster/api/admin-api.ts'
import type { Api } from '../../lib/cluster/api/api-client.ts'
import { conditionOf } from '../../lib/cluster/api/condition.ts'
import { pinsOf } from '../../lib/kubeadm/credentials/ca-pins.ts'
import { imageOf } from '../../lib/kubeadm/images/image-list.ts'
import { $, startDetached, which } from '../../lib/machine/command.ts'
import { readFile, writeFiles } from '../../lib/machine/files.ts'
import { readMachineFacts } from '../../lib/machine/host/machine.ts'
import { cgroupRootOf } from '../../lib/machine/local-node/local-groups.ts'
import {
  type LocalNode,
  nodeFolder,
  runOfNode,
  stateOfNode,
  writeLocalNode,
} from '../../lib/machine/local-node/local-node.ts'
import { connect, nodeAddresses, readNodeRanges } from '../../lib/machine/local-node/node-network.ts'
import { inWorld, openWorld } from '../../lib/machine/local-node/world.ts'
import { kubeletService } from '../../lib/machine/service/kubelet-service.ts'
import { givePrepared } from '../../lib/phases/init/prepared-images.ts'
import { deleteNode } from '../../lib/phases/nodes/node-commands.ts'
import { givePrograms } from '../../lib/phases/nodes/node-programs.ts'
import { provideBinaries } from '../../lib/phases/run/binaries.ts'
import { containerdConfig } from '../../lib/supply/runtime/containerd-config.ts'
import { CACHE, type Ground, type Reached } from './contestants.ts'
import { FOLDER, ROUND_LIMIT_MS } from './ground.ts'

/** Far from those that an init gives. */
const INDEX = 90
const NAME = 'bench-machine'
/** Where a machine has what it joins with. */
const JOIN = `${FOLDER}/join.yaml`

type Joiner = (ground: Ground, machine: LocalNode) => Promise<void>

const JOINERS: Readonly<Record<string, Joiner>> = {
  'join, kubestep': async ({ root, artifacts }, machine) => {
    const args = ['--config', JOIN, '--artifacts', artifacts, '--ignore-preflight-errors', 'all']
    startDetached(inWorld(machine, [process.execPath, join(root, 'dist/join.mjs'), ...args]), log('join'))
  },
  'join, kubeadm': async ({ kubeadm = 'kubeadm', artifacts }, machine) => {
    const command = [kubeadm, 'join', '--config', JOIN, '--ignore-preflight-errors=all']
    startDetached(inWorld(machine, command), log('kubeadm-join'))
    // In the place of the init system, which starts the kubelet for it.
    const flags = join(nodeFolder(NAME), 'kubelet/kubeadm-flags.env')
    const isWritten = (): boolean => existsSync(join(nodeFolder(NAME), 'kubelet/config.yaml')) && existsSync(flags)
    await until('the configuration of a kubelet', async () => isWritten())
    const words = /"(.*)"/.exec(readFileSync(flags, 'utf8'))?.[1]?.split(' ') ?? []
    const { command: kubelet } = kubeletService(join(artifacts, 'bin/kubelet'))
    startDetached(inWorld(machine, [...kubelet, ...words]), log('kubelet'))
  },
}

const log = (name: string): string => `${FOLDER}/logs/${name}.log`

/** Has machines join the cluster that is up, and go, in turn; `note` gets the milliseconds of each. Throws a KubestepError. */
export async function raceJoins(
  ground: Ground,
  rounds: number,
  note: (name: string, reached: Reached) => void,
): Promise<void> {
  const joiners = Object.entries(JOINERS).filter(([name]) => ground.kubeadm !== undefined || !name.includes('kubeadm'))
  const api = openAdminApi(ground.config, path => readFile('/', path), KUBERNETES.folder)
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const [name, work] of joiners) {
        const machine = await openMachine(ground)
        const start = performance.now()
        await work(ground, machine)
        await until(`node ${NAME}`, () => isReady(api))
        note(name, { Ready: Math.round(performance.now() - start) })
        await deleteNode(machine, ground.call)
      }
    }
  } finally {
    api.close()
  }
}

/** A world with programs, and a containerd that has all images, as on a machine that was prepared. */
async function openMachine(ground: Ground): Promise<LocalNode> {
  const { config, call, artifacts } = ground
  const ranges = readNodeRanges() ?? []
  const addresses = nodeAddresses(ranges, INDEX)
  const node: LocalNode = { name: NAME, role: 'worker', index: INDEX, addresses, rules: [], hasPrograms: true }
  writeLocalNode(node)
  const binaries = await provideBinaries(
    config.cluster.kubernetesVersion,
    { ...call, flags: { ...call.flags, artifacts } },
    AbortSignal.timeout(ROUND_LIMIT_MS),
  )
  const { cniBinDir, images } = binaries
  givePrograms(NAME, binaries)
  if (!(await givePrepared(await images.all, CACHE, stateOfNode(NAME, LAYOUT.containerd.root))))
    throw new KubestepError('bench: cannot have a machine join: no images are kept for it')
  const machine = await openWorld(node)
  writeLocalNode(machine)
  await connect(machine, ranges)
  const { root, state, socket, config: file } = LAYOUT.containerd
  const text = containerdConfig({
    ...{ root, state, socket, cniBinDir, cniConfDir: LAYOUT.cni.conf },
    runc: which('runc') ?? 'runc',
    pauseImage: imageOf('pause', config),
    cgroupDriver: 'cgroupfs',
    restrictOomScore: !readMachineFacts().mayLowerOomScore,
  })
  writeFiles('/', [
    { path: stateOfNode(NAME, file), mode: 0o644, content: text },
    { path: JOIN, mode: 0o600, content: await joinText(ground, machine) },
  ])
  mkdirSync(stateOfNode(NAME, LAYOUT.cni.conf), { recursive: true })
  startDetached(inWorld(machine, [which('containerd') ?? 'containerd', '--config', file]), log('containerd'))
  await until('its containerd', async () => existsSync(runOfNode(NAME, socket)))
  return machine
}

async function joinText({ config, root }: Ground, { addresses }: LocalNode): Promise<string> {
  const { stdout } = await $`${process.execPath} ${join(root, 'dist/token.mjs')} create`
  const { advertiseAddress, bindPort } = config.init.localAPIEndpoint
  const own = { 'node-ip': addresses.join(','), 'cgroup-root': cgroupRootOf(NAME), 'cgroup-driver': 'cgroupfs' }
  return stringify({
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'JoinConfiguration',
    discovery: {
      bootstrapToken: {
        token: stdout.trim(),
        apiServerEndpoint: `${advertiseAddress}:${bindPort}`,
        caCertHashes: [...pinsOf(readFileSync(KUBERNETES.authority, 'utf8'))],
      },
    },
    nodeRegistration: {
      name: NAME,
      criSocket: LAYOUT.containerd.url,
      kubeletExtraArgs: Object.entries(own).map(([name, value]) => ({ name, value })),
    },
  })
}

async function isReady(api: Api): Promise<boolean> {
  return conditionOf(await api.get(`/api/v1/nodes/${NAME}`), 'Ready')?.status === 'True'
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + ROUND_LIMIT_MS
  while (!(await holds())) {
    if (performance.now() > end) throw new KubestepError(`bench: cannot see ${what}; see ${FOLDER}/logs`)
    await sleep(20)
  }
}
