/** An IPv4 address as such, also where the socket is an IPv6 one. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
