// SPDX-License-Identifier: Apache-2.0
// What kinds of addresses the engine connects to when a person names a host.
import { BlockList, isIP } from 'node:net'

/** An address nobody runs a receiver on: link-local (the metadata services of clouds), unspecified, multicast, broadcast, documentation. */
const never = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.2.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4]
] as const)
  never.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32],
  // 169.254.0.0/16 once more, as the ways from IPv6 to IPv4 write it: NAT64, 6to4, and the old compatible form.
  ['64:ff9b::a9fe:0', 112],
  ['2002:a9fe::', 32],
  ['::a9fe:0', 112]
] as const)
  never.addSubnet(net, prefix, 'ipv6')
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6')
/** An IPv4 address written as IPv6 is judged as the IPv4 address that is reached. */
const plain = (address: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
const within = (list: BlockList, address: string): boolean => list.check(plain(address), family(plain(address)))

/** Link-local, unspecified, multicast, broadcast or documentation: nothing is connected to there. @param address an IP address */
export const isNeverReached = (address: string): boolean => within(never, address)

/** This machine. @param address an IP address */
export const isLoopbackAddress = (address: string): boolean => within(loopback, address)
