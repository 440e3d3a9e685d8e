import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { closedChains, inputPolicy } from '../../lib/machine/host/packet-filter.ts'
import { MARK, readUnitFiles, settingNames } from '../../lib/machine/host/unit-files.ts'
import { matters, resetLines } from '../../lib/machine/service/unit-overrides.ts'

type Files = Readonly<Record<string, string>>

/** Files by path; `-> target` is a link. */
function source(files: Files) {
  const link = (path: string): string | undefined => /^-> (.*)/.exec(files[path] ?? '')?.[1]
  return {
    link,
    read: (path: string) => (link(path) === undefined ? files[path] : files[link(path) ?? '']),
    list: (path: string) => {
      const names = Object.keys(files).filter(file => dirname(file) === path)
      return names.length === 0 ? undefined : names.map(file => file.slice(path.length + 1)).sort()
    },
    kind: (path: string) => (files[path] === undefined ? undefined : ('file' as const)),
  }
}

const ETC = '/etc/systemd/system'
const LIB = '/usr/lib/systemd/system'
const RUN = '/run/systemd/system'
const THEIRS = '[Service]\nExecStart=/usr/bin/kubelet\n'

interface Row {
  readonly what: string
  readonly files: Files
  readonly unit?: string
  readonly mask?: string
  readonly isAbove?: true
  readonly dropIns?: readonly string[]
  readonly missing?: readonly string[]
}

const ROWS: readonly Row[] = [
  { what: 'nothing', files: {} },
  { what: 'our own files', files: { [`${ETC}/kubelet.service`]: MARK, [`${ETC}/kubelet.service.d/99.conf`]: MARK } },
  {
    what: 'a unit below our own',
    files: { [`${ETC}/kubelet.service`]: MARK, [`${LIB}/kubelet.service`]: THEIRS },
    unit: `${LIB}/kubelet.service`,
  },
  {
    what: 'a mask above a unit',
    files: { [`${RUN}/kubelet.service`]: '-> /dev/null', [`${LIB}/kubelet.service`]: THEIRS },
    mask: `${RUN}/kubelet.service`,
  },
  { what: 'an empty file', files: { [`${ETC}/kubelet.service`]: '\n' }, mask: `${ETC}/kubelet.service` },
  {
    what: 'a link to a unit of another name',
    files: { [`${ETC}/kubelet.service`]: `-> ${LIB}/kubelet-1.36.service`, [`${LIB}/kubelet-1.36.service`]: THEIRS },
    unit: `${ETC}/kubelet.service`,
  },
  {
    what: 'a unit that wins over everybody',
    files: { '/run/systemd/transient/kubelet.service': THEIRS },
    unit: '/run/systemd/transient/kubelet.service',
    isAbove: true,
  },
  {
    what: 'drop-ins by name, not by folder, the first folder of a name alone',
    files: {
      [`${LIB}/kubelet.service.d/20.conf`]: THEIRS,
      [`${RUN}/kubelet.service.d/10.conf`]: THEIRS,
      [`${ETC}/kubelet.service.d/20.conf`]: THEIRS,
      [`${ETC}/kubelet.service.d/30.conf.bak`]: THEIRS,
      [`${LIB}/kubelet.service.d/40.conf`]: THEIRS,
      [`${ETC}/kubelet.service.d/40.conf`]: '-> /dev/null',
      [`${LIB}/service.d/15.conf`]: THEIRS,
    },
    dropIns: [`${RUN}/kubelet.service.d/10.conf`, `${LIB}/service.d/15.conf`, `${ETC}/kubelet.service.d/20.conf`],
  },
  {
    what: 'services that are required',
    files: {
      [`${LIB}/kubelet.service`]:
        '[Unit]\nRequires=docker.service network.target\nWants=a.service\nBindsTo=crio.service \\\n  gone.socket\n#Requires=b.service\n',
      [`${LIB}/crio.service`]: THEIRS,
      [`${ETC}/docker.service`]: '-> /dev/null',
    },
    unit: `${LIB}/kubelet.service`,
    missing: ['docker.service', 'gone.socket'],
  },
]

for (const { what, files, unit, mask, isAbove = false, dropIns = [], missing = [] } of ROWS) {
  test(`readUnitFiles() of ${what}`, () => {
    const found = readUnitFiles(source(files), 'kubelet')
    assert.equal(found.unit?.path, unit)
    assert.equal(found.mask, mask)
    assert.equal(found.isAbove, isAbove)
    assert.deepEqual(
      found.dropIns.map(({ path }) => path),
      dropIns,
    )
    assert.deepEqual(
      found.missing.map(other => other.unit),
      missing,
    )
  })
}

test('settingNames() reads settings alone', () => {
  assert.deepEqual(settingNames('[Service]\n A = b\n#B=\n;C=\nD=x \\\nE=y\nF\\=\n'), ['A', 'D'])
})

test('resetLines() takes back what is said, and nothing else', () => {
  const text =
    '[Unit]\nConditionHost=x\nAssertHost=y\nDescription=z\n[Service]\nUser=x\nPrivateTmp=yes\nMemoryMax=1\nNice=5\n'
  const files = [{ path: '', text }]
  assert.deepEqual(resetLines(files, 'Unit'), ['ConditionPathExists=', 'AssertPathExists='])
  assert.deepEqual(resetLines(files, 'Service'), ['PrivateTmp=no', 'MemoryMax=infinity'])
  assert.equal(matters({ path: '', text: '[Service]\nNice=5\nEnvironment=A=b\n' }), false)
  assert.equal(matters({ path: '', text: '[Service]\nExecStart=\n' }), true)
})

for (const [text, policy] of [
  ['-P INPUT ACCEPT\n', 'ACCEPT'],
  ['-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n', 'DROP'],
  [
    '-P INPUT ACCEPT\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n',
    'REJECT',
  ],
  ['-P INPUT ACCEPT\n-A INPUT -m comment --comment "the rest" -j DROP\n', 'DROP'],
  ['-P INPUT ACCEPT\n-A INPUT -s 192.0.2.0/24 -j DROP\n', 'ACCEPT'],
  ['', undefined],
] as const) {
  test(`inputPolicy() of ${JSON.stringify(text)}`, () => assert.equal(inputPolicy(text), policy))
}

test("closedChains() leaves iptables' and firewalld's own out", () => {
  const chain = (name: string, hook: string, policy: string): string =>
    `\tchain ${name} {\n\t\ttype filter hook ${hook} priority filter; policy ${policy};\n\t}\n`
  const tables = [
    `table ip filter {\n${chain('INPUT', 'input', 'drop')}}\n`,
    `table inet firewalld {\n${chain('filter_INPUT', 'input', 'drop')}}\n`,
    `table inet filter {\n${chain('input', 'input', 'drop')}${chain('forward', 'forward', 'drop')}\tchain other {\n\t}\n}\n`,
    `table ip6 open {\n${chain('in', 'input', 'accept')}}\n`,
    `table bridge filter {\n${chain('in', 'input', 'drop')}}\n`,
  ]
  assert.deepEqual(closedChains(tables.join('')), ['inet filter input'])
})
