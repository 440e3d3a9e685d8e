/** Names as RFC 1123 has them. Source: apimachinery util/validation (v1.36): lengths and patterns. */

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN_PATTERN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)

const LONGEST_SUBDOMAIN = 253

/** What a subdomain is, for messages. */
export const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain consists of lower case letters, digits, '-' or '.', and begins and ends with a letter or digit; write it like \"example.com\""

/** What keeps `text` from being a DNS name in lower case (no final dot, parts of any length); undefined when it is one. */
export function subdomainFault(text: string): string | undefined {
  if (text.length > LONGEST_SUBDOMAIN) return `it is longer than ${LONGEST_SUBDOMAIN} characters; shorten it`
  return SUBDOMAIN_PATTERN.test(text) ? undefined : SUBDOMAIN_RULE
}

/** Whether `text` is a DNS name in lower case. */
export function isSubdomain(text: string): boolean {
  return subdomainFault(text) === undefined
}

/** Whether `text` is `*.` and a DNS name, as certificates may carry. */
export function isWildcardSubdomain(text: string): boolean {
  return text.length <= LONGEST_SUBDOMAIN && text.startsWith('*.') && SUBDOMAIN_PATTERN.test(text.slice(2))
}
