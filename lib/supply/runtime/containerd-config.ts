/** The configuration of a containerd of our own: its folders, its socket, its CNI, nothing shared with another one. */

export interface ContainerdSettings {
  /** Where images and snapshots lie. */
  readonly root: string
  /** Where running containers keep their state. */
  readonly state: string
  /** Path of the socket, without `unix://`. */
  readonly socket: string
  readonly cniBinDir: string
  readonly cniConfDir: string
  /** Path of runc. */
  readonly runc: string
  /** The image of sandboxes; must be the one that is there. */
  readonly pauseImage: string
  readonly cgroupDriver: 'systemd' | 'cgroupfs'
  /**
   * Without CAP_SYS_RESOURCE no process may lower its OOM score below the runtime's own: containers that ask for
   * it fail in runc with "can't get final child's PID from pipe".
   */
  readonly restrictOomScore: boolean
  /** Folder with a hosts.toml per registry; absent: none. */
  readonly registryConfig?: string
}

type Row = readonly [key: string, value: string | boolean | number]

/**
 * The text of config.toml, in the second format: containerd 1.6 and 1.7 speak it, 2.x converts it by itself.
 * Source: containerd docs/cri/config.md.
 */
export function containerdConfig(settings: ContainerdSettings): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  const tables: readonly (readonly [name: string, rows: readonly Row[]])[] = [
    ['grpc', [['address', settings.socket]]],
    // The default socket for debugging is shared by all containerds of a machine.
    ['debug', [['address', `${settings.socket}.debug`]]],
    ['ttrpc', [['address', `${settings.socket}.ttrpc`]]],
    // Where it would install programs; the default, /opt/containerd, is shared, too.
    ['plugins."io.containerd.internal.v1.opt"', [['path', `${settings.root}/opt`]]],
    [
      cri,
      [
        ['sandbox_image', settings.pauseImage],
        ['restrict_oom_score_adj', settings.restrictOomScore],
        // Drivers of dynamic resources give devices by it; off by default before 2.0, unknown before 1.7.
        ['enable_cdi', true],
        ['disable_tcp_service', true],
        ['stream_server_address', '127.0.0.1'],
        ['stream_server_port', '0'],
      ],
    ],
    [
      `${cri}.cni`,
      [
        ['bin_dir', settings.cniBinDir],
        ['conf_dir', settings.cniConfDir],
      ],
    ],
    [`${cri}.containerd`, [['default_runtime_name', 'runc']]],
    [`${cri}.containerd.runtimes.runc`, [['runtime_type', 'io.containerd.runc.v2']]],
    [
      `${cri}.containerd.runtimes.runc.options`,
      [
        ['BinaryName', settings.runc],
        // The default is shared by all containerds of a machine.
        ['Root', `${settings.state}/runc`],
        ['SystemdCgroup', settings.cgroupDriver === 'systemd'],
      ],
    ],
    ...(settings.registryConfig === undefined
      ? []
      : ([[`${cri}.registry`, [['config_path', settings.registryConfig]]]] as const)),
  ]
  return [
    '# Written by kubestep; removed by its reset.',
    'version = 2',
    row(['root', settings.root]),
    row(['state', settings.state]),
    ...tables.flatMap(([name, rows]) => ['', `[${name}]`, ...rows.map(row)]),
    '',
  ].join('\n')
}

// TOML's basic strings are JSON's.
function row([key, value]: Row): string {
  return `${key} = ${JSON.stringify(value)}`
}
