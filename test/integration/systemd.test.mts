/** systemd's side of the services, with a systemctl that writes down what it is asked, and the real systemd-analyze. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { which } from '../../lib/machine/command.ts'
import { kubeletService } from '../../lib/machine/service/kubelet-service.ts'
import type { ServiceManager } from '../../lib/machine/service/service.ts'
import { removePodSlices } from '../../lib/machine/service/slices.ts'
import { systemd } from '../../lib/machine/service/systemd.ts'
import { dropIn, unit } from '../../lib/machine/service/unit-text.ts'

interface Machine {
  readonly manager: ServiceManager
  readonly own: string
  readonly vendor: string
  /** The folder of these and the others: `own`, `run`, `vendor`. */
  readonly folder: string
  /** What systemctl was asked since the last look. */
  readonly asked: () => string[]
}

/** Runs `body` where `systemctl` is a script that succeeds, but for questions in `no`; `shown` are units as it shows them. */
async function withSystemctl(
  no: readonly string[],
  body: (machine: Machine) => Promise<void>,
  shown = '4',
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep systemd '))
  const [own, runtime, vendor, bin, log] = ['own', 'run', 'vendor', 'bin', 'log'].map(name => join(folder, name)) as [
    string,
    string,
    string,
    string,
    string,
  ]
  for (const path of [own, runtime, vendor, bin]) mkdirSync(path)
  const refusals = no.map(question => `${question}) exit 3;;`).join(' ')
  writeFileSync(
    join(bin, 'systemctl'),
    `#!/bin/sh\necho "$@" >>'${log}'\ncase $1 in ${refusals} show) echo '${shown}';; is-active) echo active;; *) ;; esac\n`,
    { mode: 0o755 },
  )
  const { PATH } = process.env
  process.env.PATH = `${bin}:${PATH}`
  const asked = (): string[] => {
    const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []
    rmSync(log, { force: true })
    return lines
  }
  try {
    await body({ manager: systemd({ own, all: [own, runtime, vendor] }), own, vendor, folder, asked })
  } finally {
    process.env.PATH = PATH
    rmSync(folder, { recursive: true })
  }
}

const SERVICE = kubeletService('/var/lib/kubestep/bin/kubelet')
const LOAD_STATE = 'show --property=LoadState --value kubelet.service'

test('systemd() has a unit that is new read alone, and all of them where that fails', async () => {
  const alone = ['enable --no-reload --quiet kubelet.service', 'restart kubelet.service']
  await withSystemctl(
    ['is-enabled', 'is-active'],
    async ({ manager, asked }) => {
      await manager.start(SERVICE)
      assert.deepEqual(asked().slice(3), alone)
    },
    'not-found',
  )
  await withSystemctl(
    ['restart'],
    async ({ manager, asked }) => {
      await assert.rejects(manager.start(SERVICE), /cannot restart kubelet\.service/)
      assert.deepEqual(asked().slice(3), [...alone, 'enable --quiet kubelet.service', 'restart kubelet.service'])
    },
    'not-found',
  )
})

test('systemd() starts a service with a unit of its own, and takes the unit away again', async () => {
  await withSystemctl(['is-enabled', 'is-active'], async ({ manager, own, asked }) => {
    await manager.start(SERVICE)
    assert.equal(readFileSync(join(own, 'kubelet.service'), 'utf8'), unit(SERVICE))
    assert.deepEqual(asked().slice(2), [LOAD_STATE, 'enable --quiet kubelet.service', 'restart kubelet.service'])
    assert.equal(await manager.restarts('kubelet'), 4)
    assert.equal(await manager.restart('kubelet'), true)
    asked()
    await manager.remove('kubelet')
    assert.equal(existsSync(join(own, 'kubelet.service')), false)
    assert.deepEqual(asked(), [
      'stop kubelet.service',
      'disable --quiet kubelet.service',
      'daemon-reload',
      'reset-failed kubelet.service',
    ])
  })
})

for (const [what, no, after] of [
  ['enabled and running', [], ['daemon-reload', 'reset-failed kubelet.service', 'start --no-block kubelet.service']],
  [
    'neither enabled nor running',
    ['is-enabled', 'is-active'],
    ['disable --quiet kubelet.service', 'daemon-reload', 'reset-failed kubelet.service'],
  ],
] as const) {
  test(`systemd() leaves a package's unit that was ${what} as it was`, async () => {
    await withSystemctl(no, async ({ manager, own, vendor, asked }) => {
      writeFileSync(join(vendor, 'kubelet.service'), '[Service]\nExecStart=/usr/bin/kubelet\n')
      mkdirSync(join(own, 'kubelet.service.d'))
      writeFileSync(join(own, 'kubelet.service.d', '10-kubeadm.conf'), '[Service]\nExecStart=\n')
      await manager.start(SERVICE)
      // Started again, it still knows how it was at first.
      await manager.start(SERVICE)
      assert.equal(existsSync(join(own, 'kubelet.service')), false)
      const text = readFileSync(join(own, 'kubelet.service.d', '99-kubestep.conf'), 'utf8')
      assert.match(
        text,
        /^ExecStart=\nEnvironmentFile=-\/var\/lib\/kubelet\/kubeadm-flags\.env\nExecStart=\/var\/lib\/kubestep\/bin\/kubelet .* \$KUBELET_KUBEADM_ARGS$/m,
      )
      assert.deepEqual(asked().slice(0, 5), [
        'is-active kubelet.service',
        'is-enabled --quiet kubelet.service',
        LOAD_STATE,
        'enable --quiet kubelet.service',
        'restart kubelet.service',
      ])
      await manager.remove('kubelet')
      assert.deepEqual(asked(), ['stop kubelet.service', ...after])
      assert.equal(existsSync(join(own, 'kubelet.service.d', '99-kubestep.conf')), false)
      assert.equal(existsSync(join(own, 'kubelet.service.d', '10-kubeadm.conf')), true)
    })
  })
}

/** A drop-in that would keep any service from working, one setting of each kind. */
const EVERYTHING = `[Unit]
ConditionPathExists=/nowhere
AssertPathExists=/nowhere
[Service]
ExecStart=
ExecStart=/usr/bin/kubelet-of-others
ExecStartPre=/bin/false
ExecStop=/bin/false
EnvironmentFile=/nowhere
Group=nobody
WorkingDirectory=/nowhere
PrivateNetwork=yes
ProtectSystem=strict
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_CHOWN
SystemCallFilter=@basic-io
MemoryMax=1M
CPUQuota=1%
RuntimeMaxSec=1
StandardOutput=null
CPUAccounting=yes
`

interface Leftover {
  readonly what: string
  /** Text by path; `-> target` is a link. */
  readonly files: Readonly<Record<string, string>>
  /** What is written, and nothing else. */
  readonly made: readonly string[]
}

const LEFTOVERS: readonly Leftover[] = [
  {
    what: "a removed package's drop-in",
    files: { 'own/kubelet.service.d/10-kubeadm.conf': EVERYTHING },
    made: ['own/kubelet.service', 'own/kubelet.service.d/99-kubestep.conf'],
  },
  {
    what: 'a drop-in among the files of packages',
    files: { 'vendor/kubelet.service.d/10-kubeadm.conf': EVERYTHING },
    made: ['own/kubelet.service', 'own/kubelet.service.d/99-kubestep.conf'],
  },
  {
    what: 'a drop-in until the next boot that is read late',
    files: { 'run/kubelet.service.d/zz.conf': EVERYTHING, 'own/kubelet.service.d/10-a.conf': EVERYTHING },
    made: ['own/kubelet.service', 'own/kubelet.service.d/zz~kubestep.conf'],
  },
  {
    what: 'a drop-in for all services',
    files: { 'vendor/service.d/50-all.conf': '[Service]\nExecStartPre=/bin/false\n' },
    made: ['own/kubelet.service', 'own/kubelet.service.d/99-kubestep.conf'],
  },
  {
    what: 'drop-ins that do no harm, or are masked',
    files: {
      'own/kubelet.service.d/a.conf': '[Service]\nCPUAccounting=yes\n# ExecStart=/bin/false\n',
      'vendor/kubelet.service.d/b.conf': EVERYTHING,
      'own/kubelet.service.d/b.conf': '-> /dev/null',
    },
    made: ['own/kubelet.service'],
  },
  {
    what: 'a mask',
    files: { 'own/kubelet.service': '-> /dev/null' },
    made: ['own/kubelet.service'],
  },
  {
    what: 'a mask that is an empty file',
    files: { 'own/kubelet.service': '' },
    made: ['own/kubelet.service'],
  },
  {
    what: 'a mask until the next boot of a unit of a package',
    files: { 'run/kubelet.service': '-> /dev/null', 'vendor/kubelet.service': '[Service]\nExecStart=/bin/false\n' },
    made: ['own/kubelet.service'],
  },
  {
    what: 'a mask and what a removed package left',
    files: {
      'own/kubelet.service': '-> ../../../../../../../../../../dev/null',
      'own/kubelet.service.d/10-kubeadm.conf': EVERYTHING,
      'own/multi-user.target.wants/kubelet.service': '-> /lib/systemd/system/kubelet.service',
    },
    made: ['own/kubelet.service', 'own/kubelet.service.d/99-kubestep.conf'],
  },
  {
    what: 'a unit of the user and their drop-in',
    files: {
      'own/kubelet.service': '[Service]\nExecStart=/bin/false\n',
      'own/kubelet.service.d/mine.conf': EVERYTHING,
    },
    made: ['own/kubelet.service.d/mine~kubestep.conf'],
  },
]

function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(folder, path))
    else writeFileSync(join(folder, path), text)
  }
}

/** Text of what lies in the folders of units, by path. */
function unitTree(folder: string): Record<string, string> {
  const paths = ['own', 'run', 'vendor'].flatMap(name =>
    (readdirSync(join(folder, name), { recursive: true }) as string[]).map(path => join(name, path)),
  )
  const textOf = (path: string): string => {
    const kind = lstatSync(path)
    if (kind.isSymbolicLink()) return `-> ${readlinkSync(path)}`
    return kind.isDirectory() ? '/' : readFileSync(path, 'utf8')
  }
  return Object.fromEntries(paths.sort().map(path => [path, textOf(join(folder, path))]))
}

for (const { what, files, made } of LEFTOVERS) {
  test(`systemd() wins over ${what}, and leaves it as it was`, async () => {
    await withSystemctl([], async ({ manager, folder, own }) => {
      put(folder, files)
      const before = unitTree(folder)
      // Started again, it still knows how it was at first.
      for (const _ of [1, 2]) {
        await manager.start(SERVICE)
        const now = unitTree(folder)
        const changed = Object.keys(now).filter(path => now[path] !== before[path] && now[path] !== '/')
        assert.deepEqual(changed, made)
        for (const path of made) assert.match(now[path] ?? '', /^ExecStart=\/var\/lib\/kubestep\/bin\/kubelet /m)
      }
      // systemctl would take this away with the unit that it is for.
      rmSync(join(own, 'multi-user.target.wants'), { recursive: true, force: true })
      for (const _ of [1, 2]) {
        await manager.remove('kubelet')
        assert.deepEqual(unitTree(folder), before)
      }
    })
  })
}

test("systemd() does not take a user's own unit away", async () => {
  await withSystemctl([], async ({ manager, own, asked }) => {
    writeFileSync(join(own, 'kubelet.service'), '[Service]\nExecStart=/usr/local/bin/kubelet\n')
    await manager.remove('kubelet')
    assert.equal(existsSync(join(own, 'kubelet.service')), true)
    assert.deepEqual(asked(), [])
  })
})

test('systemd() says what systemctl had to say', async () => {
  await withSystemctl(['restart'], async ({ manager }) => {
    await assert.rejects(manager.start(SERVICE), /^CommandError: service: cannot restart kubelet\.service: systemctl/)
  })
})

test('removePodSlices() stops the slices of Pods in which nothing lives, and no others', async () => {
  const cgroups = mkdtempSync(join(tmpdir(), 'kubestep cgroups '))
  const slices = [
    'kubepods',
    'kubepods-burstable',
    'kubepods-busy',
    'kubepods-kept',
    'ci-kubepods',
    'system',
    'my_kubepods',
  ]
  const groupOf = (name: string): string => (name === 'ci-kubepods' ? '' : `/${name}.slice`)
  for (const name of slices.filter(other => groupOf(other) !== '')) {
    mkdirSync(join(cgroups, groupOf(name), 'inner'), { recursive: true })
    writeFileSync(join(cgroups, groupOf(name), 'inner', 'cgroup.procs'), name === 'kubepods-busy' ? '0\n' : '')
  }
  const blocks = slices.map(name => `Id=${name}.slice\nControlGroup=${groupOf(name)}\nSlice=-.slice`)
  const scopes = [
    'Id=cri-containerd-1.scope\nSlice=kubepods-burstable.slice',
    'Id=cri-containerd-2.scope\nSlice=other.slice',
  ]
  await withSystemctl(
    [],
    async ({ asked }) => {
      await removePodSlices(['kubepods-kept.slice'], [cgroups])
      assert.deepEqual(asked().slice(2), [
        'stop kubepods.slice kubepods-burstable.slice ci-kubepods.slice',
        'reset-failed kubepods.slice kubepods-burstable.slice ci-kubepods.slice cri-containerd-1.scope',
      ])
    },
    [...blocks, ...scopes].join('\n\n'),
  )
  rmSync(cgroups, { recursive: true })
})

const analyze = which('systemd-analyze')

test('unit() and dropIn() are what systemd understands', {
  skip: analyze === undefined ? 'systemd-analyze is not installed' : false,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep-unit-'))
  const service = { ...SERVICE, command: ['/bin/true', '"100%" $HOME \\ ', "it's", 'two\nlines', ';', ''] }
  const [whole, theirs] = [join(folder, 'kubestep-test.service'), join(folder, 'kubelet-test.service')]
  writeFileSync(whole, unit(service))
  writeFileSync(theirs, '[Service]\nExecStart=/usr/bin/kubelet-that-is-not-there\n')
  mkdirSync(`${theirs}.d`)
  writeFileSync(
    join(`${theirs}.d`, '99-kubestep.conf'),
    dropIn(service, { enabled: true, active: false, links: [] }, [{ path: '', text: EVERYTHING }]),
  )
  const { stdout, stderr } = spawnSync(analyze ?? '', ['verify', '--man=no', whole, theirs], { encoding: 'utf8' })
  // It looks at everything that the units lead to; of ours nothing is said.
  const complaints = `${stdout}${stderr}`.split('\n').filter(line => line.includes(folder) || /kube/.test(line))
  assert.deepEqual(complaints, [])
  rmSync(folder, { recursive: true })
})
