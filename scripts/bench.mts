#!/usr/bin/env -S npx zx
/** Measures what speed is claimed for, as ratios side by side in one run: cold processes, several rounds, medians. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Script, script } from '../lib/cli/script.ts'
import { which } from '../lib/machine/command.ts'
import { benchCluster } from '../test/bench/cluster-race.ts'
import { benchGrowth } from '../test/bench/growth.ts'
import { benchNodes } from '../test/bench/node-growth.ts'
import { type Contestant, race } from '../test/bench/race.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

export const bench: Script = script(
  import.meta,
  {
    name: 'bench',
    about: 'Measure kubestep beside kubeadm: the dry run, a cluster from nothing to ready, or how it grows.',
    options: ['rounds', 'artifacts', 'output-dir', 'nodes'],
    subcommands: [
      { name: 'dry-run', about: 'the whole dry run and --help, as cold processes' },
      {
        name: 'cluster',
        about:
          'time to each milestone of a real cluster, for both profiles and kubeadm; with --nodes of several nodes beside one, and of a join (root)',
      },
      { name: 'growth', about: 'the same with more images, Pods and objects (root)' },
    ],
    examples: [
      'bench.mts',
      'bench.mts cluster --artifacts ./artifacts --rounds 5',
      'bench.mts cluster --nodes 1,3,10 --artifacts ./artifacts',
    ],
  },
  async call => {
    const { nodes } = call.flags
    if (call.subcommand === 'cluster')
      return nodes === undefined ? benchCluster(call, ROOT) : benchNodes(call, ROOT, nodes)
    if (call.subcommand === 'growth') return benchGrowth(call, ROOT)
    const folder = mkdtempSync(join(tmpdir(), 'kubestep-bench-'))
    try {
      const rows = await race(contestants(folder), Number(call.flags.rounds ?? 7))
      call.output.result(`${JSON.stringify({ node: process.version, rows }, null, 2)}\n`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

/** Every way of running, next to what it is compared with: an empty script, and kubeadm where there is one. */
function contestants(folder: string): Contestant[] {
  const empty = join(folder, 'empty.mjs')
  writeFileSync(empty, '')
  const init = join(ROOT, 'dist/init.mjs')
  const kubeadm = which('kubeadm')
  const configs = (['RSA-2048', 'ECDSA-P256'] as const).map(algorithm => ({
    algorithm,
    file: configFile(folder, algorithm),
  }))
  return [
    { name: 'node, empty script', command: [process.execPath, empty] },
    { name: 'kubestep --help', command: [process.execPath, init, '--help'] },
    ...configs.flatMap(({ algorithm, file }): Contestant[] => [
      {
        name: `kubestep init --dry-run, ${algorithm}`,
        command: [process.execPath, init, '--dry-run', '--config', file, '--output-dir', join(folder, 'tree')],
        // What lies there would be used again.
        clean: join(folder, 'tree'),
      },
      ...(kubeadm === undefined
        ? []
        : [
            {
              name: `kubeadm init --dry-run, ${algorithm}`,
              command: [kubeadm, 'init', '--dry-run', '--skip-phases=preflight', '--config', file],
              environment: { KUBEADM_INIT_DRYRUN_DIR: join(folder, 'kubeadm') },
              clean: join(folder, 'kubeadm'),
            },
          ]),
    ]),
  ]
}

function configFile(folder: string, algorithm: string): string {
  const file = join(folder, `${algorithm}.yaml`)
  const documents = [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: '10.0.0.5' },
      nodeRegistration: { name: 'n1', criSocket: 'unix:///run/containerd/containerd.sock' },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      kubernetesVersion: 'v1.36.2',
      encryptionAlgorithm: algorithm,
    },
  ]
  writeFileSync(file, documents.map(document => JSON.stringify(document)).join('\n---\n'))
  return file
}
