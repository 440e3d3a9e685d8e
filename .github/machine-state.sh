#!/usr/bin/env bash
# What a cluster changes on a machine and a reset has to bring back, as text to compare.
set -euo pipefail

section() { printf '== %s\n' "$1"; }

section mounts
awk '{ print $5 }' /proc/self/mountinfo | grep -E 'kube|/etcd' || true
section interfaces
ip -o link | awk -F': ' '{ print $2 }' | grep -vE '^veth' | sort
section rules
# Counters and Docker's order of appearance aside.
sudo iptables-save | grep -E '^(:|-A)' | grep -iE 'kube|cni' | sed 's/\[.*\]//' || true
sudo ip6tables-save | grep -E '^(:|-A)' | grep -iE 'kube|cni' | sed 's/\[.*\]//' || true
section sysctls
sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.default.forwarding
section files
for folder in /etc/kubernetes /var/lib/kubelet /var/lib/etcd /var/lib/kubestep /run/kubestep /etc/cni/net.d; do
  sudo find "$folder" 2>/dev/null || true
done
section services
systemctl list-units --all --plain --no-legend 'kube*' | awk '{ print $1 }'
section processes
pgrep -l 'kube|etcd|coredns' || true
