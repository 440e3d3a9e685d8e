import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stringify } from '../../lib/base/yaml.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { staticPod } from '../../lib/kubeadm/manifests/pod.ts'
import { COMPONENT_NAMES } from '../../lib/kubeadm/manifests/static-pods.ts'
import { corednsDeployment } from '../../lib/kubeadm/objects/coredns-deployment.ts'
import { applyPatches } from '../../lib/kubeadm/patches/apply-patches.ts'
import { type PatchFile, parsePatches } from '../../lib/kubeadm/patches/parse-patches.ts'
import type { HostFacts } from '../../lib/machine/host/facts.ts'

const HOST: HostFacts = {
  hostname: 'n1',
  directories: ['/etc/ca-certificates'],
  proxyEnvironment: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example:3128' }],
  systemdResolved: false,
  criSockets: [],
  defaultAddress: { ipv4: '10.0.0.5' },
  loopbackAddress: {},
}

const RELEASES: readonly string[] = Array.from({ length: 19 }, (_, index) => `v1.${18 + index}.0`)

// Rendered here and patched here, and not read from YAML in between: that is where an undefined member came through.
describe('a patch that changes nothing leaves what the release writes, byte for byte', () => {
  for (const release of RELEASES) {
    const { config } = loadInitConfig({ flags: { 'kubernetes-version': release }, detectCriSocket: false }, HOST)
    for (const component of COMPONENT_NAMES) {
      const pod = staticPod(component, config, HOST)
      test(`${release} ${component}`, () => {
        const nothing: readonly PatchFile[] = [
          { name: `${component}0+strategic.yaml`, content: 'metadata: {labels: {tier: control-plane}}' },
          { name: `${component}1+merge.yaml`, content: 'metadata: {labels: {tier: control-plane}}' },
          {
            name: `${component}2+json.yaml`,
            content: '[{"op": "replace", "path": "/metadata/labels/tier", "value": "control-plane"}]',
          },
        ]
        for (const file of nothing) {
          const { patches } = parsePatches([file], { kubeadm: config.kubeadm })
          assert.equal(patches.length, 1)
          assert.equal(stringify(applyPatches(patches, component, pod).object), stringify(pod), file.name)
        }
      })
    }
    test(`${release} CoreDNS`, () => {
      const deployment = corednsDeployment('registry.k8s.io/coredns/coredns:v1.14.2', config.kubeadm)
      const patched = corednsDeployment('registry.k8s.io/coredns/coredns:v1.14.2', config.kubeadm, (_, object) => {
        const file = { name: 'corednsdeployment0+merge.yaml', content: 'metadata: {labels: {k8s-app: kube-dns}}' }
        return applyPatches(parsePatches([file]).patches, 'corednsdeployment', object).object
      })
      assert.equal(stringify(patched), stringify(deployment))
    })
  }
})
