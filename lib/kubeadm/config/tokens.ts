/** `bootstrapTokens`. Source: kubeadm apis/bootstraptoken/v1/defaults.go, ValidateBootstrapTokens (v1.36). */

import type { BootstrapToken } from '../../base/kubeadm.ts'
import { isTokenGroup, parseToken, randomToken, TOKEN_GROUP, TOKEN_RULE, TOKEN_USAGES } from '../../base/token.ts'
import type { Draft } from './draft-config.ts'
import type { Checked, Finding } from './findings.ts'

const DEFAULT_TTL = '24h0m0s'
const KIND = 'InitConfiguration'

/**
 * The tokens with their defaults, one when none is given; a token without a value gets a random one.
 * Better than kubeadm: `expires` alone works, as the default for `ttl` does not get in its way.
 */
export function completeTokens(
  drafts: readonly Draft<BootstrapToken>[] | null | undefined,
): Checked<readonly BootstrapToken[]> {
  const tokens = (drafts?.length ? drafts : [{}]).map((draft, index) =>
    completeToken(draft, `bootstrapTokens.${index}`),
  )
  return { value: tokens.map(({ value }) => value), findings: tokens.flatMap(({ findings }) => findings), notices: [] }
}

function completeToken(draft: Draft<BootstrapToken>, field: string): Checked<BootstrapToken> {
  const { token, description, ttl, expires } = draft
  const usages = draft.usages?.length ? draft.usages : TOKEN_USAGES
  const groups = draft.groups?.length ? draft.groups : [TOKEN_GROUP]
  const value: BootstrapToken = {
    token: token ?? randomToken(),
    ...(description ? { description } : {}),
    ...(expires ? { expires } : { ttl: ttl ?? DEFAULT_TTL }),
    usages,
    groups,
  }
  const malformed = { kind: KIND, field: `${field}.token`, reason: `${TOKEN_RULE}; correct it or leave it out` }
  const both = { kind: KIND, field, reason: 'ttl and expires exclude each other; keep one of them' }
  const findings = [
    ...(parseToken(value.token) === undefined ? [malformed] : []),
    ...checkUsages(usages, field),
    ...checkGroups(groups, usages, field),
    ...(ttl && expires ? [both] : []),
  ]
  return { value, findings, notices: [] }
}

function checkUsages(usages: readonly string[], field: string): Finding[] {
  const unknown = usages.filter(usage => !TOKEN_USAGES.includes(usage))
  if (unknown.length === 0) return []
  const reason = `a token cannot be used for that; use ${TOKEN_USAGES.join(', ')}`
  return [{ kind: KIND, field: `${field}.usages`, value: unknown.join(','), reason }]
}

function checkGroups(groups: readonly string[], usages: readonly string[], field: string): Finding[] {
  const place = { kind: KIND, field: `${field}.groups` }
  const unused = {
    ...place,
    value: groups.join(','),
    reason: 'groups need the usage "authentication"; add it to usages',
  }
  const wrong = groups
    .filter(group => !isTokenGroup(group))
    .map(group => ({
      ...place,
      value: group,
      reason: 'it is not a group for tokens; begin it with "system:bootstrappers:" and use a-z, 0-9, : and -',
    }))
  return [...(usages.includes('authentication') ? [] : [unused]), ...wrong]
}
