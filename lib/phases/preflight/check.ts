/** What a check is, and what it may say. */
import type { PodNetwork } from '../../base/defaults.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import type { Host } from '../../machine/host/host.ts'

/** What the machine is checked for. */
export interface Wanted {
  readonly config: InitConfig
  /** `auto`, `private`, or the socket that was asked for, `unix:///...`. */
  readonly runtime: string
  readonly cni: PodNetwork
  readonly profile: 'kubeadm' | 'ci'
  /** Whether init may install packages. */
  readonly install: boolean
}

/**
 * `handled`: kubeadm would complain, and init fixes it, adapts to it or does without. `unknown`: this user, or this
 * machine, does not let it be seen. `skipped`: not looked at here.
 */
export type Status = 'ok' | 'error' | 'warning' | 'handled' | 'unknown' | 'skipped'

export interface Verdict {
  readonly status: Status
  /** What was found, in words: lower case, no full stop. */
  readonly found: string
  /** What fixes it, or what init does about it. */
  readonly fix?: string
}

export interface Check {
  /** As --ignore-preflight-errors takes it; `<...>` stands for the subject of a family of checks. */
  readonly name: string
  /** What is looked at, for the README. */
  readonly about: string
  readonly why: string
  /** The worst that it says. */
  readonly severity: 'error' | 'warning' | 'notice'
  /** First release of kubeadm that has it, and the first that has it no more; without either every one has. */
  readonly since?: string
  readonly until?: string
  /** kubeadm has no such check. */
  readonly ours?: true
  /** What each check of a family is about: a port, a path, a program. */
  readonly subjects?: (wanted: Wanted) => readonly string[]
  /** Subjects of other configurations and releases, whose names may be given all the same. */
  readonly others?: readonly string[]
  /** undefined or [] when it does not apply. */
  readonly look: (host: Host, wanted: Wanted, subject: string) => Verdict | readonly Verdict[] | undefined
}

/** The name of a check of a family, as kubeadm makes it: slashes become dashes. */
export function checkName({ name }: Check, subject: string): string {
  return name.replace(/<\w+>/, subject.replaceAll('/', '-'))
}

/** Whether the kubeadm release that is followed has a check. */
export function isOfRelease({ since, until }: Pick<Check, 'since' | 'until'>, { config }: Wanted): boolean {
  return (
    (since === undefined || isSince(config.kubeadm, since)) && (until === undefined || !isSince(config.kubeadm, until))
  )
}

export function ok(found: string): Verdict {
  return { status: 'ok', found }
}

export function error(found: string, fix: string): Verdict {
  return { status: 'error', found, fix }
}

export function warning(found: string, fix: string): Verdict {
  return { status: 'warning', found, fix }
}

export function handled(found: string, fix: string): Verdict {
  return { status: 'handled', found, fix }
}

export function unknown(found: string, fix = 'run it as root'): Verdict {
  return { status: 'unknown', found, fix }
}

/** A number of bytes for people: `1.6 GiB`. */
export function bytesText(bytes: number): string {
  const gib = bytes / 2 ** 30
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`
}
