/** Services that outlive the script: one seam, with systemd behind it or a small supervisor of ours. */

/** Name of the service of our agent. */
export const AGENT = 'kubestep-agent'

/** Name of the one that stands before several API servers of this machine. */
export const BALANCER = 'kubestep-balancer'

export interface Service {
  /** Also the name of the unit or of the log, e.g. `kubelet`. */
  readonly name: string
  readonly about: string
  /** Absolute path and arguments; taken literally. */
  readonly command: readonly string[]
  /**
   * A variable in a file, where it is there, whose words are further arguments. It is read at every start, as systemd
   * reads an EnvironmentFile=; nothing in it is expanded.
   */
  readonly moreArguments?: { readonly file: string; readonly variable: string }
  /** Variables in a file, where it is there; read at every start in the same way. Of proxies it is told by these alone. */
  readonly environmentFile?: string
  /** How long to wait before starting it again when it ended. */
  readonly restartDelayMs: number
  /** Services that are started before it when the machine boots, where they are there. */
  readonly after?: readonly string[]
}

export interface ServiceManager {
  readonly kind: 'systemd' | 'supervisor'
  /** What `start` writes, for the record and for --dry-run: path and content. */
  readonly files: (
    service: Service,
  ) => readonly { readonly path: string; readonly mode: number; readonly content: string }[]
  /** Writes its files and starts it; a running one is restarted with the new ones. */
  readonly start: (service: Service) => Promise<void>
  /** Does all of that but the last step, which it gives: what the service needs may come meanwhile. */
  readonly prepare: (service: Service) => Promise<() => Promise<void>>
  /** Starts a service again as it is, also one of somebody else's; false when there is none of that name. */
  readonly restart: (name: string) => Promise<boolean>
  /** Stops it and removes its files; nothing happens when there is none. */
  readonly remove: (name: string) => Promise<void>
  readonly stop: (name: string) => Promise<void>
  readonly isRunning: (name: string) => Promise<boolean>
  /** How often it has ended by itself, and been started again, since `start`. */
  readonly restarts: (name: string) => Promise<number>
  /** The last lines of its output. */
  readonly log: (name: string, lines: number) => Promise<string>
}
