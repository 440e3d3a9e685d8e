/** Whose name a kubeconfig gives, read once: a parse for each connection is most of what the connection costs. */
import type { Credentials } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'

/**
 * Gives the credentials of a kubeconfig, undefined without one; they are read again when it has changed, or a file that it
 * names: a kubelet renews its certificate. Throws a KubestepError for one that says too little.
 */
export function keptCredentials(
  kubeconfig: string,
  read: (path: string) => string | undefined,
): () => Credentials | undefined {
  let kept: { readonly files: ReadonlyMap<string, string | undefined>; readonly credentials: Credentials } | undefined
  return () => {
    if (kept !== undefined && [...kept.files].every(([path, text]) => read(path) === text)) return kept.credentials
    const files = new Map<string, string | undefined>()
    const noted = (path: string): string | undefined => {
      const text = read(path)
      files.set(path, text)
      return text
    }
    const text = noted(kubeconfig)
    if (text === undefined) return undefined
    const credentials = readCredentials(text, kubeconfig, noted)
    kept = { files, credentials }
    return credentials
  }
}
