/** Bootstrap tokens: their grammar, usages, groups, and new ones. Source: cluster-bootstrap token/api, token/util (v1.36). */
import { randomInt } from 'node:crypto'

export interface Token {
  /** Six characters; public. */
  readonly id: string
  /** Sixteen characters; secret. */
  readonly secret: string
}

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyz'

/** What a token may be used for, as kubeadm defaults it. */
export const TOKEN_USAGES: readonly string[] = ['signing', 'authentication']

/** The group that nodes joining with a token are in. */
export const TOKEN_GROUP = 'system:bootstrappers:kubeadm:default-node-token'

/** What a token looks like, for messages. */
export const TOKEN_RULE = 'a bootstrap token is six characters, a dot and sixteen characters of a-z and 0-9'

/** Splits `id.secret`; undefined when the text is no token. */
export function parseToken(text: string): Token | undefined {
  const [, id, secret] = TOKEN.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Whether a group may be given to those who authenticate with a token. */
export function isTokenGroup(group: string): boolean {
  return GROUP.test(group)
}

/** A new token, `id.secret`, from the system's random numbers. */
export function randomToken(): string {
  return `${randomCharacters(6)}.${randomCharacters(16)}`
}

function randomCharacters(length: number): string {
  return Array.from({ length }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join('')
}
