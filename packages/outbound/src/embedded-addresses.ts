import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const compatible = ipaddr.IPv6.parseCIDR('::/96');
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const localNat64 = ipaddr.IPv6.parseCIDR('64:ff9b:1::/48');
const sixToFour = ipaddr.IPv6.parseCIDR('2002::/16');
const teredo = ipaddr.IPv6.parseCIDR('2001::/32');

function v4(bytes: number[]): ipaddr.IPv4 {
  return new ipaddr.IPv4(bytes);
}

/** Converts `::ffff:a.b.c.d` and `::a.b.c.d` to that IPv4 address; returns other addresses unchanged. */
export function unmapped(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6)) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  const isPlain = address.range() === 'loopback' || address.range() === 'unspecified';
  return !isPlain && address.match(compatible) ? v4(address.toByteArray().slice(12)) : address;
}

/**
 * Returns the addresses at which a packet to `address` can arrive: the IPv4 addresses inside the transition
 * forms of IPv6 (NAT64, 6to4, Teredo), else the address itself. All of them must be allowed.
 */
export function embeddedAddresses(address: Address): Address[] {
  const plain = unmapped(address);
  if (!(plain instanceof ipaddr.IPv6)) return [plain];
  const bytes = plain.toByteArray();
  if (plain.match(nat64)) return [v4(bytes.slice(12))];
  if (plain.match(localNat64)) {
    // The translator's prefix may be /48, /56, /64 or /96 (RFC 6052 2.2: the ninth octet is skipped).
    const [p48, p56] = [bytes.slice(6, 8), bytes.slice(7, 8)].map((head) =>
      [...head, ...bytes.slice(9)].slice(0, 4),
    );
    return [p48!, p56!, bytes.slice(9, 13), bytes.slice(12)].map(v4);
  }
  if (plain.match(sixToFour)) return [v4(bytes.slice(2, 6))];
  if (plain.match(teredo)) return [v4(bytes.slice(4, 8)), v4(bytes.slice(12).map((byte) => byte ^ 0xff))];
  return [plain];
}
