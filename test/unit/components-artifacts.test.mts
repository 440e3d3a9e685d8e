import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readArtifacts, type WantedArtifacts } from '../../lib/supply/components/artifacts.ts'
import { programFault } from '../../lib/supply/fetch/program.ts'
import { tarEnd, tarHeader, tarPadding } from '../../lib/supply/fetch/tar.ts'

const PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap']
const SERVER = 'registry.k8s.io/kube-apiserver:v1.36.2'
const WANTED: WantedArtifacts = { arch: 'amd64', version: 'v1.36.2' }

/** The beginning of a program for a machine, with one segment of that many bytes, and a loader. */
function elf(machine: number, bytes = 64, loader?: string): Buffer {
  const head = Buffer.alloc(256)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(machine, 18)
  head.writeBigUInt64LE(64n, 32)
  head.writeUInt16LE(56, 54)
  head.writeUInt16LE(loader === undefined ? 1 : 2, 56)
  head.writeUInt32LE(1, 64)
  head.writeBigUInt64LE(BigInt(bytes), 64 + 32)
  if (loader !== undefined) {
    head.writeUInt32LE(3, 120)
    head.writeBigUInt64LE(176n, 120 + 8)
    head.writeBigUInt64LE(BigInt(loader.length + 1), 120 + 32)
    head.write(loader, 176)
  }
  return head
}

/** A kubelet that says its version. */
const kubelet = (version: string): string => `#!/bin/sh\necho Kubernetes ${version}\n`

function archive(names: readonly string[], architecture?: string): Buffer {
  const files = {
    'manifest.json': JSON.stringify([{ RepoTags: names }]),
    ...(architecture !== undefined && { 'blobs/sha256/ab': JSON.stringify({ architecture, os: 'linux', rootfs: {} }) }),
    'blobs/sha256/cd': JSON.stringify({ architecture: 'of no image' }),
  }
  const blocks = Object.entries(files).flatMap(([name, text]) => [
    tarHeader(name, text.length),
    Buffer.from(text),
    tarPadding(text.length),
  ])
  return Buffer.concat([...blocks, tarEnd()])
}

type Files = Readonly<Record<string, string | Buffer>>

function folderOf(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep artifacts '))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

const PLUGIN_FILES: Files = Object.fromEntries(PLUGINS.map(name => [`cni/bin/${name}`, elf(62)]))
const WHOLE: Files = {
  'bin/kubelet': kubelet('v1.36.2'),
  'bin/kubectl': '#!/bin/sh\n',
  ...PLUGIN_FILES,
  'cni/bin/README.md': '# plugins',
  'images/note.txt': '',
  'images/a.tar': archive([SERVER, 'busybox:1'], 'amd64'),
}

test('readArtifacts() finds what is there, through links too', async () => {
  const real = folderOf(WHOLE)
  const folder = folderOf({})
  for (const name of ['bin', 'cni', 'images']) symlinkSync(join(real, name), join(folder, name))
  const images = [SERVER, 'docker.io/library/busybox:1']
  assert.deepEqual(await readArtifacts(folder, { ...WANTED, images, plugins: PLUGINS }), {
    kubelet: join(folder, 'bin/kubelet'),
    kubectl: join(folder, 'bin/kubectl'),
    cniBinDir: join(folder, 'cni/bin'),
    imageArchives: [join(folder, 'images/a.tar')],
  })
  for (const one of [real, folder]) rmSync(one, { recursive: true })
})

const without = (...names: readonly string[]): Files =>
  Object.fromEntries(Object.entries(WHOLE).filter(([name]) => !names.includes(name)))

for (const [what, files, wanted] of [
  [
    'nothing but a kubelet, where the machine has plugins',
    { 'bin/kubelet': kubelet('v1.36.2') },
    { hasPlugins: true, plugins: PLUGINS },
  ],
  [
    'plugins of other networks alone',
    { 'bin/kubelet': kubelet('v1.36.2'), 'cni/bin/flannel': elf(62) },
    { hasPlugins: true, plugins: PLUGINS },
  ],
  ['a kubelet that does not say its version', { ...WHOLE, 'bin/kubelet': '#!/bin/sh\n' }, { images: [SERVER] }],
  [
    'a kubelet that is a little older than its images',
    { ...WHOLE, 'bin/kubelet': kubelet('v1.35.1') },
    { images: [SERVER] },
  ],
  [
    'images in a compressed archive',
    { ...without('images/a.tar'), 'images/a.tar': Buffer.from([0x1f, 0x8b, 8, 0]) },
    { images: [SERVER] },
  ],
  ['an archive for several machines', { ...WHOLE, 'images/a.tar': archive([SERVER]) }, { images: [SERVER] }],
  [
    'a build of CI',
    {
      ...WHOLE,
      'bin/kubelet': kubelet('v1.37.0-alpha.1.5+abc'),
      'images/a.tar': archive(['registry.k8s.io/kube-apiserver:v1.37.0-alpha.1.5_abc']),
    },
    { version: 'ci/v1.37.0-alpha.1.5+abc', images: ['registry.k8s.io/kube-apiserver:v1.37.0-alpha.1.5_abc'] },
  ],
] as const satisfies readonly (readonly [string, Files, Partial<WantedArtifacts>])[]) {
  test(`readArtifacts() takes ${what}`, async () => {
    const folder = folderOf(files)
    const found = await readArtifacts(folder, { ...WANTED, ...wanted })
    assert.equal(found.kubelet, join(folder, 'bin/kubelet'))
    if ('hasPlugins' in wanted) assert.equal(found.cniBinDir, undefined)
    rmSync(folder, { recursive: true })
  })
}

test('readArtifacts() names everything that is missing or wrong, and what to put where', async () => {
  const folder = folderOf({
    'bin/kubectl': elf(183),
    'cni/bin/bridge': 'hello',
    'cni/bin/loopback': elf(62),
    'images/a.tar': 'no archive',
    'images/b.tar': '',
    'images/c.tar': archive(['busybox:1'], 'arm64'),
  })
  await assert.rejects(
    readArtifacts(folder, { ...WANTED, plugins: PLUGINS, images: [SERVER] }),
    ({ message }: Error) => {
      const lines = message.split('\n')
      const expected = [
        /^components: cannot use artifacts ".*":$/,
        /^ {2}.*bin\/kubelet is missing: put the kubelet of Kubernetes v1\.36\.2 for linux\/amd64 there$/,
        /^ {2}.*bin\/kubectl is for arm64: put the one for amd64 there$/,
        /^ {2}.*cni\/bin\/bridge is not a program of this machine \(it has no ELF header\): fetch or make it again for linux\/amd64$/,
        /^ {2}.*cni\/bin has no "host-local", "portmap": put the CNI plugins for linux\/amd64 there$/,
        /^ {2}.*cannot read ".*a\.tar"/,
        /^ {2}.*cannot read ".*b\.tar": it is empty/,
        /^ {2}.*c\.tar has images for arm64: put those for amd64 there$/,
        /^npx zx scripts\/bundle\.mts --kubernetes-version v1\.36\.2 --output-dir DIR makes such a folder/,
      ]
      expected.forEach((line, index) => {
        assert.match(lines[index] ?? '', line)
      })
      assert.equal(lines.length, expected.length)
      return true
    },
  )
  rmSync(folder, { recursive: true })
})

const OTHERS = [
  'registry.k8s.io/etcd:3.6.6-0',
  'registry.k8s.io/coredns/coredns:v1.14.2',
  'registry.k8s.io/pause:3.10.2',
]

for (const [what, files, path, wanted, message] of [
  [
    'a folder that is not there',
    {},
    'none',
    {},
    /components: cannot use artifacts ".*none": it does not exist; correct the path; npx zx scripts\/bundle/,
  ],
  ['a file', { file: '' }, 'file', {}, /it is not a folder/],
  [
    'the folder above',
    { 'v1.36.2/bin/kubelet': elf(62), note: '' },
    '',
    {},
    /did you mean --artifacts .*\/v1\.36\.2\?$/,
  ],
  [
    'a folder without the machine’s plugins',
    without(...Object.keys(PLUGIN_FILES), 'cni/bin/README.md'),
    '',
    { plugins: PLUGINS },
    /^[^\n]*cni\/bin is empty or missing, and the machine has no CNI plugins: put "bridge", "host-local", "loopback", "portmap"/,
  ],
  [
    'a plugin that is missing, whatever the machine has',
    without('cni/bin/bridge'),
    '',
    { plugins: PLUGINS, hasPlugins: true },
    /^[^\n]*cni\/bin has no "bridge": put/,
  ],
  [
    'every image that is missing, at once',
    WHOLE,
    '',
    { images: [SERVER, ...OTHERS] },
    /images has no archive with registry\.k8s\.io\/etcd:3\.6\.6-0, registry\.k8s\.io\/coredns\/coredns:v1\.14\.2, registry\.k8s\.io\/pause:3\.10\.2: put them there/,
  ],
  [
    'an empty folder of images',
    { ...without('images/a.tar') },
    '',
    { images: [SERVER] },
    /images has no archive with registry\.k8s\.io\/kube-apiserver:v1\.36\.2/,
  ],
  [
    'another version, by its kubelet, without a list of images',
    WHOLE,
    '',
    { version: 'v1.35.0', images: ['registry.k8s.io/kube-apiserver:v1.35.0', ...OTHERS] },
    /^[^\n]*: it is of v1\.36\.2 \(its kubelet says so\), and v1\.35\.0 was asked for; ask for v1\.36\.2 \(--kubernetes-version, or kubernetesVersion in the configuration\), or make a folder of v1\.35\.0\n[^\n]*bundle[^\n]*$/,
  ],
  [
    'another version, by its kube-apiserver',
    { ...WHOLE, 'bin/kubelet': '#!/bin/sh\n' },
    '',
    { version: 'v1.35.0', images: ['registry.k8s.io/kube-apiserver:v1.35.0'] },
    /it is of v1\.36\.2 \(its kube-apiserver says so\), and v1\.35\.0 was asked for/,
  ],
  [
    'another patch release',
    WHOLE,
    '',
    { version: 'v1.36.1', images: ['registry.k8s.io/kube-apiserver:v1.36.1'] },
    /it is of v1\.36\.2 .*v1\.36\.1 was asked for/,
  ],
  [
    'a kubelet that is newer than its images',
    { ...WHOLE, 'bin/kubelet': kubelet('v1.37.0') },
    '',
    { images: [SERVER] },
    /it is of v1\.37\.0 \(its kubelet/,
  ],
] as const satisfies readonly (readonly [string, Files, string, Partial<WantedArtifacts>, RegExp])[]) {
  test(`readArtifacts() refuses ${what}`, async () => {
    const folder = folderOf(files)
    await assert.rejects(readArtifacts(join(folder, path), { ...WANTED, ...wanted }), message)
    rmSync(folder, { recursive: true })
  })
}

for (const [what, content, message] of [
  ['this machine', elf(62), undefined],
  ['another one', elf(183), /is for arm64: put the one for amd64 there$/],
  ['one of 32 bits', elf(3), /is for 386/],
  ['one that nobody knows', elf(8), /is for machine 8/],
  ['this machine, cut short', elf(62, 5000), /is cut short \(256 of at least 5000 bytes\)/],
  [
    'another C library',
    elf(62, 64, '/lib/ld-none-x86_64.so.1'),
    /needs "\/lib\/ld-none-x86_64\.so\.1", which is not on this machine/,
  ],
  ['a loader that is there', elf(62, 64, '/bin/sh'), undefined],
  ['a shell', '#!/bin/sh -e\n', undefined],
  ['a shell that is not there', '#!/none/sh\n', /is a script for "\/none\/sh", which is not on this machine$/],
  ['macOS', Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 1]), /it is a program for macOS/],
  ['Windows', 'MZ\x90', /it is a program for Windows/],
  ['nobody: packed', Buffer.from([0x1f, 0x8b, 8]), /it is packed with gzip/],
  ['nobody: a page', '<!DOCTYPE html><p>404', /it is a web page/],
  ['nobody: a pointer', 'version https://git-lfs.github.com/spec/v1', /Git LFS/],
  ['nobody: text', 'hello', /is not a program of this machine \(it has no ELF header\)/],
  ['nobody: empty', '', /is empty: put the real one there/],
] as const) {
  test(`programFault() of a file for ${what}`, () => {
    const folder = folderOf({ file: content })
    const fault = programFault(join(folder, 'file'), 'amd64')
    if (message === undefined) assert.equal(fault, undefined)
    else assert.match(fault ?? '', message)
    rmSync(folder, { recursive: true })
  })
}

test('programFault() of a file that is not there', () => {
  assert.match(programFault('/none/kubelet', 'amd64') ?? '', /^\/none\/kubelet cannot be read: it does not exist/)
})
