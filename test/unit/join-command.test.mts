import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { controlPlaneUrl } from '../../lib/kubeadm/config/control-plane-url.ts'
import { pinsOf } from '../../lib/kubeadm/credentials/ca-pins.ts'
import { controlPlaneJoinCommand, initDoneText } from '../../lib/kubeadm/objects/join-command.ts'
import { type GoldenCase, goldenCases, goldenInputs, textOf } from './objects-cases.mts'

const cases = goldenCases('v1.36.2').filter(({ folder }) => existsSync(new URL('join.txt', folder)))

function done(golden: GoldenCase) {
  const { config, folder } = golden
  return {
    access: { server: controlPlaneUrl(config), caCertificate: goldenInputs(golden).caCertificate },
    adminConf: '/etc/kubernetes/admin.conf',
    hasControlPlaneEndpoint: config.cluster.controlPlaneEndpoint !== undefined,
    certificatesUploaded: existsSync(new URL('flags.txt', folder)),
    tokens: config.init.bootstrapTokens.map(({ token }) => token),
    ...(config.init.certificateKey !== undefined && { certificateKey: config.init.certificateKey }),
  }
}

/** The lines that a person copies: from `kubeadm join` to the end of the command, and the three that copy admin.conf. */
function commandsIn(text: string): string[] {
  return text.split('\n').filter(line => /kubeadm join|^\t--|^ {2}(mkdir|sudo|export) /.test(line))
}

describe('initDoneText() has the commands that kubeadm prints at the end', () => {
  for (const golden of cases) {
    test(golden.name, () =>
      assert.deepEqual(commandsIn(initDoneText(done(golden))), commandsIn(textOf(golden.folder, 'join.txt'))),
    )
  }

  test('initDoneText() withholds secrets when asked to', () => {
    const golden = cases.find(({ name }) => name.endsWith('join-upload'))
    assert.ok(golden)
    const text = initDoneText({ ...done(golden), skipTokenPrint: true, skipCertificateKeyPrint: true })
    assert.match(text, /--token <value withheld> \\\n/)
    assert.match(text, /--certificate-key <value withheld>\n/)
    assert.doesNotMatch(text, /0123456789abcdef/)
  })
})

test('controlPlaneJoinCommand() does without a key when the certificates are copied by hand', () => {
  const [golden] = cases
  assert.ok(golden)
  const { access } = done(golden)
  assert.match(controlPlaneJoinCommand(access, 'a.b'), / \\\n\t--control-plane $/)
})

test('pinsOf() gives one for each certificate, and says when there is none', () => {
  const [golden] = cases
  assert.ok(golden)
  const { caCertificate } = done(golden).access
  const [hash] = pinsOf(caCertificate)
  assert.deepEqual(pinsOf(caCertificate + caCertificate), [hash, hash])
  assert.throws(() => pinsOf('no PEM'), /^KubestepError: discovery: cannot read the CA certificate: /)
})
