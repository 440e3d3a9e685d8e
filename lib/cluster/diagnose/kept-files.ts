/** Files of a cluster that go into a log bundle. Keys and kubeconfigs are named there, and never read. */
import { X509Certificate } from 'node:crypto'
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { reasonOf } from '../../base/errors.ts'
import { KUBERNETES, LAYOUT, NODE } from '../../base/paths.ts'
import { credentialFiles } from '../../supply/registry/registry-logins.ts'
import type { Collected } from './collectors.ts'

/** Of each container's log only the end. */
const LOG_BYTES = 1024 * 1024

/** Logs of all containers, as `containers/<Pod>/<container>.<attempt>.log`. */
export function podLogs(): Collected[] {
  return filesBelow(NODE.podLogs)
    .filter(path => path.endsWith('.log'))
    .map(path => {
      const [pod = '', container = '', file = ''] = path.slice(NODE.podLogs.length + 1).split('/')
      const [namespace = '', name = ''] = pod.split('_')
      return { name: `containers/${namespace}_${name}/${container}.${file}`, text: tailOf(path) }
    })
}

/** Where settings lie, and below which folder of the bundle they go. */
const SETTINGS: readonly (readonly [folder: string, names: RegExp, group: string])[] = [
  [KUBERNETES.manifests, /\.yaml$/, 'kubernetes/manifests'],
  [KUBERNETES.kubelet, /^(?:config\.yaml|instance-config\.yaml|kubeadm-flags\.env)$/, 'kubernetes/kubelet'],
  [NODE.cniConf, /\.(?:conf|conflist|json)$/, 'cni'],
  [LAYOUT.cni.conf, /\.conflist$/, 'cni'],
  [dirname(LAYOUT.containerd.config), /^config\.toml$/, 'runtime'],
  ['/etc/containerd', /^config\.toml$/, 'runtime/etc-containerd'],
  [LAYOUT.services, /\.json$/, 'services'],
  ['/etc/systemd/system', /^(?:kubelet|kubestep-containerd|containerd|crio)\.service$/, 'services'],
  // What packages put beside the kubelet's unit decides how it starts.
  ['/etc/systemd/system/kubelet.service.d', /\.conf$/, 'services/kubelet.service.d'],
  ['/usr/lib/systemd/system/kubelet.service.d', /\.conf$/, 'services/kubelet.service.d'],
]

export function configurationFiles(): Collected[] {
  return SETTINGS.flatMap(([folder, names, group]) =>
    namesIn(folder)
      .filter(name => names.test(name))
      .map(name => ({ name: `${group}/${name}`, text: tailOf(join(folder, name)) })),
  )
}

/** Files that hold secrets: they are read to know what the mask has to take, and never shown. */
export function secretFiles(environment: NodeJS.ProcessEnv): string[] {
  const cluster = [KUBERNETES.folder, KUBERNETES.kubeletPki].flatMap(filesBelow)
  return [
    ...cluster.filter(path => /\.(?:key|conf|pem)$/.test(path)),
    ...['/etc/containerd', LAYOUT.containerd.hosts].flatMap(filesBelow).filter(path => path.endsWith('.toml')),
    ...credentialFiles(environment),
  ]
}

/** Every file below /etc/kubernetes with its mode; of certificates whose they are and how long. */
export function certificateText(): string {
  return filesBelow(KUBERNETES.folder)
    .map(path => {
      const mode = (lstatSync(path).mode & 0o7777).toString(8).padStart(4, '0')
      return `${mode} ${path}\n${path.endsWith('.crt') ? certificateLines(path) : ''}`
    })
    .join('')
}

function certificateLines(path: string): string {
  try {
    const { subject, issuer, validFrom, validTo, subjectAltName } = new X509Certificate(readFileSync(path))
    const line = (text: string): string => text.replaceAll('\n', ', ')
    return `  ${line(subject)}, by ${line(issuer)}, ${validFrom} to ${validTo}${subjectAltName ? `, for ${subjectAltName}` : ''}\n`
  } catch (error) {
    return `  cannot be read: ${reasonOf(error)}\n`
  }
}

/** The journal without the former contents of files, and what the last init reached. */
export function stateFiles(): Collected[] {
  const journal = tailOf(LAYOUT.journal).replace(
    /^(\{"kind":"(?:file|written)",.*?"before":")[^"]*"/gm,
    '$1<left out>"',
  )
  return [
    { name: 'kubestep/journal.jsonl', text: journal },
    { name: 'kubestep/ready.json', text: tailOf(`${LAYOUT.state}/ready.json`) },
  ]
}

function tailOf(path: string): string {
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      const bytes = Buffer.alloc(Math.min(size, LOG_BYTES))
      const length = readSync(file, bytes, 0, bytes.length, size - bytes.length)
      const text = bytes.toString('utf8', 0, length)
      if (size <= LOG_BYTES) return text
      // From a whole line on: half of one may hold a secret without its name.
      const from = text.indexOf('\n') + 1
      return `... ${size - length + Buffer.byteLength(text.slice(0, from))} bytes are left out here\n${text.slice(from)}`
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
}

function filesBelow(folder: string): string[] {
  return namesIn(folder).flatMap(name => {
    const path = join(folder, name)
    const entry = lstatSync(path, { throwIfNoEntry: false })
    return entry?.isDirectory() ? filesBelow(path) : entry === undefined ? [] : [path]
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
