import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { $, quote, which } from '../../lib/machine/command.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url))

/** Why a machine of one's own cannot be made here; false when it can. */
async function reasonToSkip(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root for namespaces of its own'
  if (which('unshare') === undefined) return 'unshare is not installed'
  const tried = await $({ nothrow: true })`unshare --mount --uts --net mount -t tmpfs tmpfs /mnt`
  return tried.exitCode === 0 ? false : `namespaces are not to be had: ${tried.stderr.trim()}`
}

const skip = await reasonToSkip()

/**
 * A machine in a mount, host name and network namespace that ends with the script: /etc is a copy, /run and /var/lib
 * are empty, swap and SELinux are files, the firewall is a program that notes what is open.
 */
const MACHINE = `
set -eu
mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc; mount --bind /mnt/etc /etc
# As in a container, where nothing can take the place of the file.
cp -p /etc/hosts /mnt/hosts; mount --bind /mnt/hosts /etc/hosts
mount -t tmpfs tmpfs /var/lib; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /sys/fs
mkdir -p /mnt/bin /mnt/open /sys/fs/selinux /run/systemd/generator /etc/selinux /etc/systemd/system
export PATH=/mnt/bin:$PATH
printf 'Filename\\tType\\tSize\\tUsed\\tPriority\\n/swap\\\\040file file 2097148 0 -2\\n/dev/zram0 partition 524284 0 100\\n' >/mnt/swaps
cp /mnt/swaps /mnt/swaps.before; mount --bind /mnt/swaps /proc/swaps
cat >/mnt/bin/swapoff <<'END'
#!/bin/sh
area=$(printf %s "$1" | sed 's/ /\\\\\\\\040/g'); grep -v "^$area " /mnt/swaps >/mnt/left; cat /mnt/left >/mnt/swaps
END
cat >/mnt/bin/swapon <<'END'
#!/bin/sh
for path; do :; done
area=$(printf %s "$path" | sed 's/ /\\\\\\\\040/g'); grep "^$area " /mnt/swaps.before >>/mnt/swaps
case "$*" in "-p 100 /dev/zram0" | "/swap file") ;; *) exit 1 ;; esac
END
cat >/mnt/bin/firewall-cmd <<'END'
#!/bin/sh
zone=public when=now
for word; do case $word in --zone=*) zone=\${word#*=} ;; --permanent) when=boot ;; esac; done
for word; do
  name=/mnt/open/$zone.$when.$(printf %s "\${word#--*-}" | tr =/ __)
  case $word in --list-*) what=\${word#--list-}; ls /mnt/open | sed -n "s,^$zone.$when.\${what%s}_,,p" | tr _ / ;; --add-*) : >"$name" ;; --remove-*) rm -f "$name" ;; esac
done
END
chmod +x /mnt/bin/*
printf 'UUID=1 / ext4 defaults 0 1\\n/swap\\\\040file none swap sw 0 0\\n# no end' >/etc/fstab; chmod 640 /etc/fstab
printf '[Swap]\\nWhat=/dev/zram0\\n' >/run/systemd/generator/dev-zram0.swap
printf 'SELINUX=enforcing\\nSELINUXTYPE=targeted\\n' >/etc/selinux/config; printf 1 >/sys/fs/selinux/enforce
mkdir -p /etc/sysctl.d
echo old >/etc/hostname; hostname old; printf 'UTC\\n' >/etc/timezone; ln -sf /usr/share/zoneinfo/UTC /etc/localtime
: >/mnt/open/public.now.port_10250_tcp
state() {
  find /etc \\( -type f -exec sha256sum {} + \\) -o \\( -type l -printf '%p -> %l\\n' \\) | sort
  find /etc -printf '%p %m %U %G\\n' | sort
  hostname; cat /proc/sys/net/ipv4/ip_forward; sort /proc/swaps; cat /sys/fs/selinux/enforce; ls /mnt/open /var/lib
}
state >/mnt/before
cd ${quote(ROOT)}
prepare() { ${quote(process.execPath)} --import ${quote(TSX)} scripts/prepare.mts "$@" 2>&1; }
wanted="all swap selinux --host-name node-1.example.org --time-zone Asia/Shanghai --pod-network-cidr 10.244.0.0/16
  --apiserver-advertise-address 192.0.2.9 --control-plane-endpoint k8s.example.org:6443"
section() { echo "== $*"; }
`

/** Runs a script in such a machine; gives its output by the names of its sections. */
async function inMachine(script: string): Promise<Readonly<Record<string, string>>> {
  const command = ['unshare', '--mount', '--uts', '--net', '--propagation', 'private', '/bin/sh', '-c']
  const { exitCode, stdout, stderr } = await $({ nothrow: true, timeout: 120_000 })`${command} ${MACHINE + script}`
  assert.equal(exitCode, 0, stdout + stderr)
  const parts = stdout.split(/^== (.*)\n/m)
  return Object.fromEntries(parts.flatMap((name, index) => (index % 2 === 1 ? [[name, parts[index + 1] ?? '']] : [])))
}

test('prepare shows, makes, and takes back: the machine is as it was', { skip }, async () => {
  const out = await inMachine(`
section check; prepare $wanted --check || echo "status $?"
state >/mnt/checked; section checked; diff /mnt/before /mnt/checked && echo same
section make; prepare $wanted
section fstab; cat /etc/fstab; echo
section state; tail -n 1 /etc/hosts; hostname; cat /etc/hostname; readlink /etc/localtime; cat /etc/timezone
head -n 1 /etc/selinux/config; cat /sys/fs/selinux/enforce /proc/swaps; echo; cat /proc/sys/net/ipv4/ip_forward
readlink /etc/systemd/system/dev-zram0.swap; stat -c %a /etc/fstab
section open; ls /mnt/open
section again; prepare $wanted; prepare $wanted --check; echo "status $?"
section undo; prepare --undo; state >/mnt/after; diff /mnt/before /mnt/after && echo same
section twice; prepare --undo`)
  assert.match(out.check ?? '', /^-\/swap\\040file none swap sw 0 0\n\+# kubestep: \/swap\\040file none swap sw 0 0$/m)
  assert.match(out.check ?? '', /^host name: old -> node-1\.example\.org$/m)
  assert.match(out.check ?? '', /^firewalld port 10250\/tcp: open until its next start -> open$/m)
  assert.match(out.check ?? '', /status 1\n$/)
  assert.equal(out.checked, 'same\n')
  assert.match(out.make ?? '', /\[prepare\] Made \d+ changes; to take them back: \S.*prepare\.m[jt]s --undo\n$/)
  assert.equal(out.fstab, 'UUID=1 / ext4 defaults 0 1\n# kubestep: /swap\\040file none swap sw 0 0\n# no end\n')
  assert.deepEqual((out.state ?? '').split('\n'), [
    '192.0.2.9\tnode-1.example.org k8s.example.org\t# kubestep',
    'node-1.example.org',
    'node-1.example.org',
    '/usr/share/zoneinfo/Asia/Shanghai',
    'Asia/Shanghai',
    'SELINUX=permissive',
    '0Filename\tType\tSize\tUsed\tPriority',
    '',
    '1',
    '/dev/null',
    '640',
    '',
  ])
  assert.match(out.open ?? '', /^public\.boot\.port_6443_tcp$/m)
  assert.match(out.open ?? '', /^trusted\.now\.source_10\.244\.0\.0_16$/m)
  // Packages that this machine lacks are named, and not installed.
  const again = (out.again ?? '').replaceAll(/^\[prepare\] packages: the machine lacks .*\n/gm, '')
  assert.equal(again, '[prepare] Nothing to change\n[prepare] Nothing to change\nstatus 0\n')
  assert.match(out.undo ?? '', /^\[prepare\] Undid \d+ changes\nsame\n$/)
  assert.equal(out.twice, '[prepare] Nothing to undo\n')
})

test('prepare --undo after a user changed things keeps what the user did', { skip }, async () => {
  const out = await inMachine(`
prepare $wanted >/dev/null
echo '10.0.0.7 mine' >>/etc/hosts; hostname mine; echo 'kernel.panic = 9' >>/etc/sysctl.d/99-kubestep.conf
printf 0 >/proc/sys/net/ipv4/ip_forward
section undo; prepare --undo
section state; tail -n 1 /etc/hosts; hostname; cat /etc/hostname; tail -n 1 /etc/sysctl.d/99-kubestep.conf
cat /proc/sys/net/ipv4/ip_forward`)
  assert.equal(out.state, '10.0.0.7 mine\nmine\nold\nkernel.panic = 9\n0\n')
  assert.match(out.undo ?? '', /^\[prepare\] host name was set to mine since: it stays so$/m)
  assert.match(
    out.undo ?? '',
    /^\[prepare\] "\/etc\/sysctl\.d\/99-kubestep\.conf" was changed after it was written: it stays/m,
  )
})

test('prepare is taken back by reset, and after a kill in the middle by what it noted', { skip }, async () => {
  const reset = `${quote(process.execPath)} --import ${quote(TSX)} scripts/reset.mts`
  const out = await inMachine(`
mv /mnt/bin/swapoff /mnt/bin/swapoff.real
printf '#!/bin/sh\\nkill -9 $(head -c 20 /run/kubestep/lock | cut -d" " -f1)\\n' >/mnt/bin/swapoff; chmod +x /mnt/bin/swapoff
prepare $wanted >/dev/null || true
mv /mnt/bin/swapoff.real /mnt/bin/swapoff
section half; hostname; readlink /etc/systemd/system/dev-zram0.swap; wc -l </mnt/swaps
section dry; ${reset} --dry-run
section reset; ${reset}
rm -rf /run/kubestep; state >/mnt/after; diff /mnt/before /mnt/after && echo same`)
  assert.equal(out.half, 'node-1.example.org\n/dev/null\n3\n')
  assert.match(out.dry ?? '', /^\[reset\] Would set host name to old again$/m)
  assert.match(out.reset ?? '', /^\[reset\] Undid \d+ changes; .*\nsame\n$/m)
})

test('prepare packages --install installs what is missing without starting a service, and --undo says what stays', {
  skip,
}, async () => {
  const out = await inMachine(`
mkdir -p /mnt/sbin/new /mnt/sbin/work
mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=/mnt/sbin/new,workdir=/mnt/sbin/work /usr/sbin
rm -f /usr/sbin/policy-rc.d /usr/sbin/conntrack
cat >/mnt/bin/apt-get <<'END'
#!/bin/sh
/usr/sbin/policy-rc.d; echo "apt-get $1, $DEBIAN_FRONTEND, may start services: $?" >>/mnt/apt
test "$1" = update && exit
for word; do case $word in conntrack) ln -s /bin/true /usr/sbin/conntrack ;; ipvsadm) echo 'E: Unable to locate it' >&2; exit 100 ;; esac; done
END
chmod +x /mnt/bin/apt-get
section check; prepare packages --kubernetes-version v1.31.0 --check || echo "status $?"
section asked; prepare packages --kubernetes-version v1.31.0 --install --check | grep -o conntrack || true; ls /usr/sbin/policy-rc.d /mnt/apt || true
section make; prepare packages --kubernetes-version v1.31.0 --install; cat /mnt/apt; ls /usr/sbin/policy-rc.d 2>&1 || true
section undo; prepare --undo; ls /usr/sbin/conntrack
rm /mnt/bin/apt-get; printf '#!/bin/sh\\necho "E: no such mirror" >&2; exit 100\\n' >/mnt/bin/apt-get; chmod +x /mnt/bin/apt-get; rm /usr/sbin/conntrack
section fail; prepare packages --kubernetes-version v1.31.0 --install || echo "status $?"; ls /usr/sbin/policy-rc.d 2>&1 || true`)
  assert.match(
    out.check ?? '',
    /^prepare: cannot install packages: the machine lacks .*conntrack \(.*; add --install, or run "apt-get install /,
  )
  assert.match(out.check ?? '', /status 1\n$/)
  assert.equal(out.asked, 'conntrack\n')
  assert.match(
    out.make ?? '',
    /apt-get update, noninteractive, may start services: 101\napt-get install, noninteractive, may start services: 101\nls: /,
  )
  assert.match(
    out.undo ?? '',
    /^\[prepare\] packages stay installed: .*conntrack.*; "apt-get remove .*conntrack.*" takes them away\n.*\n\/usr\/sbin\/conntrack\n$/,
  )
  assert.match(
    out.fail ?? '',
    /^prepare: cannot install .*conntrack.*: apt-get ended with status 100: E: no such mirror\nstatus 1\nls: /,
  )
})

const WRONG: readonly (readonly [words: string, status: number, message: RegExp])[] = [
  ['swpas', 2, /^prepare: cannot find sub-command "swpas"/],
  ['swap no-such-item', 2, /^prepare: cannot prepare "no-such-item": there is no such item; use all or some of/],
  [
    'time-zone --time-zone Asia/Shangai',
    1,
    /^prepare: cannot set the time zone to "Asia\/Shangai": .*did you mean "Asia\/Shanghai"\?$/m,
  ],
  ['time-zone --time-zone ../../etc/passwd', 1, /there is no such zone/],
  ['host-name --host-name a_b', 1, /^prepare: cannot set the host name to "a_b"/],
  ['host-name time-zone', 1, /none is given; add --host-name NAME\nprepare: .*none is given; add --time-zone ZONE$/m],
  ['--undo --check', 2, /cannot use --check with --undo/],
  ['swap --undo', 2, /cannot use swap with --undo/],
]

test('prepare refuses wrong input and leaves nothing behind', { skip }, async () => {
  const script = WRONG.map(([words]) => `section ${words}; prepare ${words} || echo "status $?"`).join('\n')
  const out = await inMachine(`${script}
section state; rm -rf /run/kubestep; state >/mnt/after; diff /mnt/before /mnt/after && echo same`)
  for (const [words, status, message] of WRONG) {
    assert.match(out[words] ?? '', message, words)
    assert.ok(out[words]?.endsWith(`status ${status}\n`), out[words])
  }
  assert.equal(out.state, 'same\n')
})
