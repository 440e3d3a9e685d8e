import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupRoots, idOf } from '../../lib/machine/host/cgroups.ts'
import { isOfOurNamespace } from '../../lib/machine/host/processes.ts'
import { clusterChains, removalText } from '../../lib/machine/network/firewall-rules.ts'
import { LEFTOVERS } from '../../lib/machine/network/proxy-leftovers.ts'
import { imageDigests } from '../../lib/supply/runtime/image-names.ts'
import { networkNamespace } from '../../lib/supply/runtime/runtime-remains.ts'
import { clusterSandboxes } from '../../lib/supply/runtime/sandboxes.ts'

const ID = 'ab12'.repeat(16)
const UID = '0a1b2c3d-0000-4111-8222-333344445555'

for (const [group, id] of [
  [`/sys/fs/cgroup/cpu/kubepods/burstable/pod${UID}`, UID],
  [
    `/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`,
    UID,
  ],
  [`/sys/fs/cgroup/kubepods.slice/kubepods-pod${UID.replaceAll('-', '_')}.slice`, UID],
  ['/sys/fs/cgroup/pids/kubepods/burstable/pod00112233445566778899aabbccddeeff', '00112233445566778899aabbccddeeff'],
  [`/sys/fs/cgroup/kubepods/besteffort/pod${UID}/${ID}`, ID],
  [`/x/cri-containerd-${ID}.scope`, ID],
  [`/x/crio-${ID}.scope`, ID],
  ['/sys/fs/cgroup/kubepods.slice', undefined],
  ['/sys/fs/cgroup/kubepods/burstable', undefined],
  ['/sys/fs/cgroup/kubepods/test', undefined],
  [`/x/docker-${ID.slice(1)}.scope`, undefined],
] as const) {
  test(`idOf() of ${group.split('/').at(-1)}`, () => assert.equal(idOf(group), id))
}

for (const [document, roots] of [
  [{ cgroupDriver: 'cgroupfs' }, ['kubepods']],
  [{ cgroupDriver: 'systemd' }, ['kubepods.slice']],
  [{}, ['kubepods', 'kubepods.slice']],
  [{ cgroupDriver: 'cgroupfs', cgroupRoot: '/a/b' }, ['a/b/kubepods']],
  [{ cgroupDriver: 'systemd', cgroupRoot: '/kubelet' }, ['kubelet.slice/kubelet-kubepods.slice']],
  [{ cgroupDriver: 'cgroupfs', cgroupRoot: '/', kubeletCgroups: '/kubelet.slice' }, ['kubepods', 'kubelet.slice']],
] as const) {
  test(`groupRoots() of ${JSON.stringify(document)}`, () => assert.deepEqual(groupRoots(document), roots))
}

test('isOfOurNamespace() goes by the numbers that a process has', () => {
  assert.equal(isOfOurNamespace('Name:\tsh\nNSpid:\t123\n'), true)
  assert.equal(isOfOurNamespace('Name:\tsh\nNSpid:\t123\t7\n'), false)
  assert.equal(isOfOurNamespace('Name:\tsh\n'), true)
})

/** Rules as iptables-save has them: two containers of ours, one of nerdctl's, kube-proxy's and ours. */
const SAVED = `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:CNI-0123456789abcdef01234567 - [0:0]
:CNI-aaaaaaaaaaaaaaaaaaaaaaaa - [0:0]
:CNI-bbbbbbbbbbbbbbbbbbbbbbbb - [0:0]
:CNI-DN-0123456789abcdef01234 - [0:0]
:CNI-DN-aaaaaaaaaaaaaaaaaaaaa - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A PREROUTING -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A POSTROUTING -s 10.244.0.2/32 -m comment --comment "name: \\"kubestep\\" id: \\"1111\\"" -j CNI-0123456789abcdef01234567
-A POSTROUTING -s 10.4.0.2/32 -m comment --comment "name: \\"bridge\\" id: \\"default-2222\\"" -j CNI-aaaaaaaaaaaaaaaaaaaaaaaa
-A POSTROUTING -s 10.5.0.2/32 -m comment --comment "name: \\"cbr0\\" id: \\"3333\\"" -j CNI-bbbbbbbbbbbbbbbbbbbbbbbb
-A CNI-0123456789abcdef01234567 -d 10.244.0.0/24 -m comment --comment "name: \\"kubestep\\" id: \\"1111\\"" -j ACCEPT
-A CNI-aaaaaaaaaaaaaaaaaaaaaaaa -d 10.4.0.0/24 -m comment --comment "name: \\"bridge\\" id: \\"default-2222\\"" -j ACCEPT
-A CNI-bbbbbbbbbbbbbbbbbbbbbbbb -d 10.5.0.0/24 -m comment --comment "name: \\"cbr0\\" id: \\"3333\\"" -j ACCEPT
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"kubestep\\" id: \\"1111\\"" -m multiport --dports 80 -j CNI-DN-0123456789abcdef01234
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"bridge\\" id: \\"default-2222\\"" -m multiport --dports 81 -j CNI-DN-aaaaaaaaaaaaaaaaaaaaa
COMMIT
`

test('clusterChains() leaves chains of other tools that use CNI', () => {
  const ours = ['nat KUBE-SERVICES', 'nat CNI-0123456789abcdef01234567', 'nat CNI-DN-0123456789abcdef01234']
  assert.deepEqual(clusterChains(SAVED, []), ours)
  const ofContainer = clusterChains(SAVED, [], ['3333'])
  assert.deepEqual(
    ofContainer.filter(chain => !ours.includes(chain)),
    ['nat CNI-bbbbbbbbbbbbbbbbbbbbbbbb'],
  )
  assert.deepEqual(clusterChains(SAVED, ours), [])
})

test('clusterChains() takes what published ports hang on where nobody else has any', () => {
  const alone = SAVED.split('\n')
    .filter(line => !line.includes('aaaaaaaa'))
    .join('\n')
  assert.deepEqual(
    clusterChains(alone, []).filter(chain => chain.includes('HOSTPORT')),
    ['nat CNI-HOSTPORT-DNAT', 'nat CNI-HOSTPORT-MASQ'],
  )
})

test('removalText() takes our entries out of chains that stay', () => {
  const text = removalText(SAVED, []) ?? ''
  assert.match(text, /^-D CNI-HOSTPORT-DNAT .*--dports 80 -j CNI-DN-0123456789abcdef01234$/m)
  assert.match(text, /^-D POSTROUTING -s 10\.244\.0\.2\/32 /m)
  assert.doesNotMatch(text, /aaaaaaaa|bbbbbbbb|--dports 81|-X CNI-HOSTPORT/)
})

const SERVERS = `-A -t 10.96.0.1:443 -s rr
-a -t 10.96.0.1:443 -r 192.0.2.2:6443 -m -w 1
-A -u 10.96.0.10:53 -s rr
-A -t [fd01::1]:443 -s rr
-a -t [fd01::1]:443 -r [fd02::2]:6443 -m -w 1
-A -t 192.0.2.2:30443 -s rr
-a -t 192.0.2.2:30443 -r 192.0.2.2:6443 -m -w 1
-A -t 192.0.2.2:80 -s wlc
-a -t 192.0.2.2:80 -r 192.0.2.9:8080 -m -w 1
-A -t 198.51.100.1:80 -s wlc
`

test('LEFTOVERS: virtual servers of Services are told from those of others', () => {
  const ours = LEFTOVERS.find(({ kind }) => kind === 'server')?.ours ?? assert.fail()
  assert.deepEqual(ours(SERVERS, new Set(['10.96.0.1', '10.96.0.10', 'fd01::1'])), [
    '-t 10.96.0.1:443',
    '-u 10.96.0.10:53',
    '-t [fd01::1]:443',
    '-t 192.0.2.2:30443',
  ])
  assert.deepEqual(ours(SERVERS, new Set()), [])
})

test('networkNamespace() finds the named one in a config.json', () => {
  const text = (path: string): string =>
    JSON.stringify({ linux: { namespaces: [{ type: 'pid' }, { type: 'network', path }] } })
  assert.deepEqual(networkNamespace(text('/var/run/netns/cni-1')), ['/run/netns/cni-1'])
  assert.deepEqual(networkNamespace(text('/proc/1/ns/net')), [])
  assert.deepEqual(networkNamespace('{"linux":{"namespaces":[{"type":"network"}]}}'), [])
  for (const damaged of ['', '{', '[]', '{"linux":{"namespaces":{}}}']) assert.deepEqual(networkNamespace(damaged), [])
})

test('clusterSandboxes() are those with labels of a kubelet that were not there before', async () => {
  const labels = { 'io.kubernetes.pod.uid': UID }
  const answers: Readonly<Record<string, unknown>> = {
    ListPodSandbox: {
      items: [{ id: 'old', labels }, { id: 'new', labels }, { id: 'by-hand', labels: { app: 'x' } }, { id: 'bare' }],
    },
    ListContainers: {
      containers: [
        { id: 'c1', podSandboxId: 'new' },
        { id: 'c2', podSandboxId: 'by-hand' },
      ],
    },
  }
  const cri = {
    socket: 'unix:///x',
    version: 'v1',
    call: async (name: string) => answers[name] as never,
    close: () => {},
  } as const
  assert.deepEqual(await clusterSandboxes(cri, { kept: ['old'], all: false }), [
    { id: 'new', podUid: UID, containers: ['c1'] },
  ])
  assert.equal((await clusterSandboxes(cri, { kept: [], all: true })).length, 4)
})

test('imageDigests() reads what ctr lists', () => {
  const text = `REF TYPE DIGEST SIZE PLATFORMS LABELS
registry.k8s.io/pause:3.10.2 application/vnd.oci.image.manifest.v1+json sha256:aa 300.0 KiB linux/amd64 io.cri-containerd.image=managed
registry.k8s.io/pause:3.6    application/vnd.oci.image.manifest.v1+json sha256:bb 300.0 KiB linux/amd64 -
`
  assert.deepEqual(
    [...imageDigests(text)],
    [
      ['registry.k8s.io/pause:3.10.2', 'sha256:aa'],
      ['registry.k8s.io/pause:3.6', 'sha256:bb'],
    ],
  )
})
