/** What prepare can fix: one row per item, in the order in which they are done. */
import { findFirewall } from './firewall.ts'
import { findHostName, findHosts } from './host-names.ts'
import { findIpvs, findModules } from './modules.ts'
import { findPackages } from './packages.ts'
import type { Item } from './prepare-item.ts'
import { findSelinux } from './selinux.ts'
import { findSwap } from './swap.ts'
import { findSysctls } from './sysctls.ts'
import { findTimeZone } from './time-zone.ts'

/** Packages first, because others need their programs; modules before the sysctls that come with them. */
export const ITEMS: readonly Item[] = [
  {
    name: 'packages',
    about: 'programs that a cluster needs; with --install',
    reads: ['PATH', 'CRI sockets', 'folders of CNI plugins'],
    changes: 'installs with apt, dnf, yum or apk; services that come along are not started',
    undo: 'they stay; it says how to remove them',
    find: findPackages,
  },
  {
    name: 'host-name',
    about: 'the name in --host-name',
    reads: ['/etc/hostname', 'kernel.hostname'],
    changes: 'the line in /etc/hostname, and the running name',
    undo: 'the former line and name',
    find: findHostName,
  },
  {
    name: 'hosts',
    about: "addresses for the node's name and the common endpoint's, where nothing knows them",
    reads: ['/etc/hosts', 'getent hosts'],
    changes: 'a line at the end of /etc/hosts',
    undo: 'takes that line out',
    find: findHosts,
  },
  {
    name: 'time-zone',
    about: 'the zone in --time-zone',
    reads: ['/etc/localtime', '/etc/timezone'],
    changes: 'the link, and the line in /etc/timezone where there is one',
    undo: 'the former ones',
    find: findTimeZone,
  },
  {
    name: 'swap',
    about: 'off; all leaves it on unless failSwapOn is true, as init tells the kubelet to live with it',
    reads: ['/proc/swaps', '/etc/fstab', 'swap units of systemd'],
    changes: 'swapoff; lines of fstab become comments, units are masked or disabled (zram too)',
    undo: 'swapon; the lines and units as before',
    find: findSwap,
  },
  {
    name: 'selinux',
    about: 'permissive, where it enforces',
    reads: ['/sys/fs/selinux/enforce', '/etc/selinux/config'],
    changes: 'the mode now, and the SELINUX line',
    undo: 'enforcing again',
    find: findSelinux,
  },
  {
    name: 'modules',
    about: 'overlay, br_netfilter, nf_conntrack, where the kernel has them as modules',
    reads: ['/proc/modules', 'modules.builtin', 'modules.dep', "the kernel's configuration"],
    changes: 'modprobe; /etc/modules-load.d/kubestep.conf',
    undo: 'unloads what was loaded; removes the file',
    find: findModules,
  },
  {
    name: 'ipvs',
    about: 'ip_vs, its schedulers, ipset and ipvsadm, for kube-proxy in mode ipvs',
    reads: ['the same', 'PATH'],
    changes: 'modprobe; /etc/modules-load.d/kubestep-ipvs.conf; packages with --install',
    undo: 'unloads what was loaded; removes the file',
    find: findIpvs,
  },
  {
    name: 'sysctls',
    about: 'forwarding, and iptables for bridges',
    reads: ['/proc/sys', '/etc/sysctl.d', '/etc/sysctl.conf'],
    changes: 'the values; /etc/sysctl.d/99-kubestep.conf',
    undo: 'the former values; removes the file',
    find: findSysctls,
  },
  {
    name: 'firewall',
    about: "openings for the cluster's ports and for Pods, in firewalld or ufw",
    reads: ['firewall-cmd', 'ufw', 'iptables -S INPUT'],
    changes: 'adds ports and trusted addresses, now and at boot',
    undo: 'removes what was added',
    find: findFirewall,
  },
]

/** Stands for every item, as far as an init needs it. */
export const ALL = 'all'
