/** Machines as users have them: a containerd that serves CRI already, a name that nobody resolves. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { which } from '../../lib/machine/command.ts'
import { hasCapability } from '../../lib/machine/host/machine.ts'
import { init, onMachine, succeeded } from './attempt.ts'
import { changesSince, readMachineState } from './machine-state.ts'
import { bundle, run } from './programs.ts'
import { OWN_MACHINE } from './systemd-machine.ts'
import type { Target } from './targets.ts'
import { runPod } from './workload.ts'

type Undo = () => Promise<void>

interface Surroundings {
  readonly about: string
  /** Why they cannot be had here; only machines made for tests are changed. */
  readonly missing?: () => string | undefined
  /** Makes them; gives what takes them away. */
  readonly arrange: () => Promise<Undo>
  readonly of?: (target: Target) => Target
  /** What init says of them. */
  readonly says: RegExp
}

const CAP_SYS_RESOURCE = 24n
const CONTAINERD_CONFIG = '/etc/containerd/config.toml'

const SURROUNDINGS: readonly Surroundings[] = [
  {
    about: 'a containerd that serves CRI, as Debian configures it',
    missing: noContainerdService,
    arrange: () => startContainerd(),
    of: withFoundRuntime,
    says: /^\[runtime\] Using containerd /m,
  },
  {
    about: 'a containerd that serves CRI, with its own defaults: cgroupfs under systemd, no plugins',
    missing: noContainerdService,
    arrange: async () => startContainerd((await run(['containerd', 'config', 'default'])).stdout),
    of: withFoundRuntime,
    says: /^\[runtime\] Using containerd /m,
  },
  {
    about: 'a host name that nobody resolves, and a name server that does not answer',
    arrange: hideName,
    says: /^\[runtime\] Started containerd /m,
  },
]

const elsewhere = process.env[OWN_MACHINE] === undefined ? 'only on a machine that is made for tests' : undefined

for (const { about, missing, arrange, of = unchanged, says } of SURROUNDINGS) {
  const title = `a machine with ${about}: a Pod, and as it was`
  const reason = elsewhere ?? missing?.()
  if (reason !== undefined) test(title, { skip: reason }, () => {})
  else {
    onMachine(title, async (target, say) => {
      const undo = await arrange()
      try {
        const before = readMachineState()
        const start = performance.now()
        const up = await run(init(of(target)))
        say(`ready after ${((performance.now() - start) / 1000).toFixed(1)} s`)
        try {
          succeeded(up)
          assert.match(up.stdout, says)
          const kubectl = [target.kubectl, '--kubeconfig', '/etc/kubernetes/admin.conf']
          await runPod(async (...args) => {
            const ended = await run([...kubectl, ...args])
            succeeded(ended)
            return ended.stdout
          })
        } finally {
          succeeded(await run(bundle('reset')))
        }
        assert.deepEqual(await changesSince(before, isStore), [])
        assert.equal(await inRuntime(), '')
      } finally {
        await undo()
      }
    })
  }
}

/** Images stay in a runtime that was there before, and with them its folders. */
function isStore(line: string): boolean {
  return /^\+ file \/(run|var\/lib)\/containerd\//.test(line)
}

/** Containers and what runs of them in the runtime that was there before. */
async function inRuntime(): Promise<string> {
  if (!existsSync('/run/containerd/containerd.sock')) return ''
  const lists = await Promise.all(
    ['containers', 'tasks'].map(kind => run(['ctr', '--namespace', 'k8s.io', kind, 'list', '--quiet'])),
  )
  for (const list of lists) succeeded(list)
  return lists.map(({ stdout }) => stdout).join('')
}

function noContainerdService(): string | undefined {
  if (!existsSync('/run/systemd/system')) return 'systemd does not run here'
  return which('containerd') === undefined ? 'containerd is not installed' : undefined
}

const CRI_PLUGIN = '[plugins."io.containerd.grpc.v1.cri"]'

async function startContainerd(configuration?: string): Promise<Undo> {
  const before = readFileSync(CONTAINERD_CONFIG, 'utf8')
  writeFileSync(CONTAINERD_CONFIG, withoutRaisedPriority(configuration ?? before))
  succeeded(await run(['systemctl', 'start', 'containerd']))
  return async () => {
    succeeded(await run(['systemctl', 'stop', 'containerd']))
    writeFileSync(CONTAINERD_CONFIG, before)
  }
}

/** Without CAP_SYS_RESOURCE no container can be killed less likely than others, and none starts that should. */
function withoutRaisedPriority(configuration: string): string {
  if (hasCapability(readFileSync('/proc/self/status', 'utf8'), CAP_SYS_RESOURCE)) return configuration
  const others = configuration.replace(/^\s*restrict_oom_score_adj = .*\n/m, '')
  return others.replace(CRI_PLUGIN, `${CRI_PLUGIN}\nrestrict_oom_score_adj = true`)
}

function unchanged(target: Target): Target {
  return target
}

function withFoundRuntime({ args, ...target }: Target): Target {
  return { ...target, args: args.map(word => (word === 'private' ? 'auto' : word)) }
}

async function hideName(): Promise<Undo> {
  const files = ['/etc/hosts', '/etc/resolv.conf']
  const before = files.map(path => readFileSync(path, 'utf8'))
  const silent = createSocket('udp4')
  await new Promise<void>(resolve => silent.bind(53, '127.0.0.53', resolve))
  writeFileSync('/etc/hosts', '127.0.0.1 localhost\n')
  writeFileSync('/etc/resolv.conf', 'nameserver 127.0.0.53\n')
  return async () => {
    silent.close()
    for (const [index, path] of files.entries()) writeFileSync(path, before[index] ?? '')
  }
}
