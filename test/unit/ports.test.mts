import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holderText, parseListeners, portHolders } from '../../lib/machine/host/ports.ts'

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1589 1 000000005d8f7df3 100 0 0 10 0
   1: 020200C0:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 000000005d8f7df3 100 0 0 10 0
   2: 0100007F:192B 0100007F:A7D8 01 00000000:00000000 00:00000000 00000000     0        0 78 1 000000005d8f7df3 100 0 0 10 0
`
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:280A 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 90 1 0 100 0 0 10 0
   1: 000000FD000000000000000002000000:192B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 91 1 0 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:2810 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 92 1 0 100 0 0 10 0
`

test('parseListeners() takes what listens, not what is connected, with the address as people write it', () => {
  assert.deepEqual(
    parseListeners(TCP).map(({ address, port, inode }) => `${address} ${port} ${inode}`),
    ['0.0.0.0 2024 1589', '192.0.2.2 6443 77'],
  )
  assert.deepEqual(
    parseListeners(TCP6).map(({ address, port }) => `${address} ${port}`),
    [':: 10250', 'fd00::2 6443', '127.0.0.1 10256'],
  )
  assert.deepEqual(parseListeners(''), [])
})

const FILES: Readonly<Record<string, string>> = {
  '/proc/net/tcp': TCP,
  '/proc/net/tcp6': TCP6,
  '/proc/12/comm': 'kube-apiserver\n',
  '/proc/300/comm': 'worker\n',
}
const LINKS: Readonly<Record<string, string>> = {
  '/proc/12/fd/0': '/dev/null',
  '/proc/12/fd/3': 'socket:[77]',
  '/proc/300/fd/3': 'socket:[77]',
  '/proc/300/fd/4': 'socket:[5]',
}
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  '/proc': ['300', '12', 'self', '9'],
  '/proc/12/fd': ['0', '3'],
  '/proc/300/fd': ['3', '4'],
}
const HOST = {
  read: (path: string) => FILES[path],
  list: (path: string) => FOLDERS[path],
  link: (path: string) => LINKS[path],
}

test('portHolders() finds listeners of either family on any address, and names the process that began', () => {
  assert.deepEqual(portHolders(HOST, [6443, 10250]).map(holderText), [
    'kube-apiserver (process 12) on 192.0.2.2',
    'a process on every address',
    'a process on fd00::2',
  ])
  assert.deepEqual(portHolders(HOST, [6444]), [])
})

test('portHolders() finds nothing where the tables cannot be read', () => {
  assert.deepEqual(portHolders({ read: () => undefined, list: () => undefined, link: () => undefined }, [6443]), [])
})
