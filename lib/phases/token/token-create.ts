/** A new bootstrap token, from the command line or from a configuration. */

import { durationFault } from '../../base/duration.ts'
import { KubestepError, UsageError } from '../../base/errors.ts'
import type { BootstrapToken } from '../../base/kubeadm.ts'
import { parseToken } from '../../base/token.ts'
import type { Flags } from '../../cli/options.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { refusal } from '../../cluster/api/api-client.ts'
import { completeTokens } from '../../kubeadm/config/tokens.ts'
import { tokenSecret } from '../../kubeadm/objects/bootstrap-token-objects.ts'
import { TOKEN_SECRETS } from './token-list.ts'

/** The token that flags and a positional describe. Throws a UsageError with every fault; the token's value is in none. */
export function wantedToken(flags: Flags, value?: string): BootstrapToken {
  const fault = flags.ttl === undefined ? undefined : durationFault(flags.ttl)
  const draft = {
    ...(value !== undefined && { token: value }),
    ...(flags.description !== undefined && { description: flags.description }),
    ...(flags.ttl !== undefined && { ttl: flags.ttl }),
    ...(flags.usages !== undefined && { usages: flags.usages.split(',') }),
    ...(flags.groups !== undefined && { groups: flags.groups.split(',') }),
  }
  const { value: tokens, findings } = completeTokens([draft])
  const faults = [
    ...(fault === undefined ? [] : [`token: cannot use --ttl ${JSON.stringify(flags.ttl)}: ${fault}`]),
    ...findings.map(({ field, value: shown, reason }) => {
      const name = field.split('.').at(-1)
      const what = name === 'token' ? 'the token' : `--${name}`
      return `token: cannot use ${what}${shown === undefined ? '' : ` ${JSON.stringify(shown)}`}: ${reason}`
    }),
  ]
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return tokens[0] as BootstrapToken
}

/** Puts tokens into the cluster. Throws a KubestepError for an id that is there already, and an ApiError. */
export async function createTokens(api: Api, tokens: readonly BootstrapToken[], now: Date): Promise<void> {
  for (const token of tokens) {
    const answer = await api.send('POST', TOKEN_SECRETS, tokenSecret(token, now))
    if (answer.status === 409) {
      const id = parseToken(token.token)?.id
      throw new KubestepError(
        `token: cannot create the token: a token with id "${id}" already exists; delete it first, or use another one`,
      )
    }
    if (answer.status >= 300) throw refusal('POST', TOKEN_SECRETS, answer)
  }
}

/**
 * Deletes tokens by id or by the whole token. Throws a UsageError for what is neither, a KubestepError for one that
 * is not there, and an ApiError.
 */
export async function deleteTokens(api: Api, words: readonly string[], onDelete: (id: string) => void): Promise<void> {
  const ids = words.map(tokenId)
  for (const id of ids) {
    const path = `${TOKEN_SECRETS}/bootstrap-token-${id}`
    const answer = await api.send('DELETE', path)
    if (answer.status === 404) {
      throw new KubestepError(`token: cannot delete token "${id}": there is none of that id; see "token list"`)
    }
    if (answer.status >= 300) throw refusal('DELETE', path, answer)
    onDelete(id)
  }
}

/** The id of a token, or the id itself. Throws a UsageError that does not show what may be a secret. */
export function tokenId(word: string): string {
  const id = parseToken(word)?.id ?? (/^[a-z0-9]{6}$/.test(word) ? word : undefined)
  if (id !== undefined) return id
  throw new UsageError(
    'token: cannot delete a token: what is given is neither a token (abcdef.0123456789abcdef) nor an id (abcdef); see "token list"',
  )
}
