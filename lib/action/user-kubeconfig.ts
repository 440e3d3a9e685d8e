/**
 * The kubeconfig of the job, where the user wants it: written only where nothing is, and taken away again only while it
 * is what was written, or still opens this cluster alone.
 */
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, linkSync, lstatSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { explain } from '../machine/files.ts'

/** What is known of the file before it is written; main keeps it for post. */
export interface KubeconfigFile {
  readonly path: string
  /** SHA-256 of its text, and of the certificate of the cluster's CA. */
  readonly text: string
  readonly ca: string
  /** Folders that are made for it, the innermost first. */
  readonly folders: readonly string[]
}

/** Whether anything has that name, also a link that leads nowhere. */
export function isTaken(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** What will be written to a path. */
export function kubeconfigFile(path: string, text: string): KubeconfigFile {
  const folders: string[] = []
  for (let folder = dirname(path); !isTaken(folder); folder = dirname(folder)) folders.push(folder)
  const [ca = ''] = authorities(text)
  return { path, text: digest(text), ca: digest(ca), folders }
}

/** Writes it for its owner alone: whole, or not at all where something has come in between. Throws a KubestepError. */
export function writeKubeconfig({ path }: KubeconfigFile, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' })
    // The umask may have taken bits away.
    chmodSync(temporary, 0o600)
    // Unlike a rename it takes nobody's place.
    linkSync(temporary, path)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EEXIST' ? TAKEN : explain(error)
    throw new KubestepError(`action: cannot write kubeconfig "${path}": ${reason}`, { cause: error })
  } finally {
    rmSync(temporary, { force: true })
  }
}

export const TAKEN = 'the file exists; name another one, or leave it out'

/** Takes it away; gives a line when it has to stay. What is not there is taken away already. */
export function removeKubeconfig({ path, text, ca, folders }: KubeconfigFile): string | undefined {
  if (isTaken(path)) {
    const present = lstatSync(path).isFile() ? readFileSync(path, 'utf8') : undefined
    const isOurs = present !== undefined && (digest(present) === text || opensOnly(present, ca))
    if (!isOurs) return `"${path}" is not the kubeconfig that was written there: it stays`
    rmSync(path)
  }
  for (const folder of folders) {
    try {
      rmdirSync(folder)
    } catch {
      // Somebody has put something into it.
    }
  }
  return undefined
}

// kubectl writes a namespace or a context into it; who has added another cluster wants to keep that.
function opensOnly(text: string, ca: string): boolean {
  const all = authorities(text)
  return all.length > 0 && all.every(one => digest(one) === ca)
}

/**
 * The certificates of the CAs of all clusters in a kubeconfig; an empty text stands for each that has none. Looked for in
 * the text: a reader of YAML would be the largest part of post.
 */
function authorities(text: string): string[] {
  const count = [...text.matchAll(/\bserver["']?:/g)].length
  const found = [...text.matchAll(/\bcertificate-authority-data["']?:\s*["']?([\w+/=]*)/g)].map(([, data = '']) => data)
  return [...found, ...Array<string>(Math.max(0, count - found.length)).fill('')]
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Reads what main has kept; undefined when that is nothing. */
export function readKubeconfigFile(state: string): KubeconfigFile | undefined {
  return state === '' ? undefined : (JSON.parse(state) as KubeconfigFile)
}
