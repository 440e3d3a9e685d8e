/** SELinux of a machine, now and at boot. Pure parsing. */

/** What /sys/fs/selinux/enforce says; undefined when SELinux is off or not there. */
export function selinuxMode(enforce: string | undefined): 'Enforcing' | 'Permissive' | undefined {
  const text = enforce?.trim()
  return text === '1' ? 'Enforcing' : text === '0' ? 'Permissive' : undefined
}

/** The line of /etc/selinux/config that says what SELinux is at boot; the last one counts. */
export function selinuxLine(text: string): string | undefined {
  return text.split('\n').findLast(line => /^\s*SELINUX\s*=/.test(line))
}

/** Whether that line has SELinux enforce its policy. */
export function isEnforcing(line: string): boolean {
  return /^\s*SELINUX\s*=\s*enforcing\s*$/i.test(line)
}
