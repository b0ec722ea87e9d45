import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP, SocketAddress } from 'node:net';

/** A DNS server for A and AAAA records, over UDP on 127.0.0.1. */
export interface DnsServer extends AsyncDisposable {
  /** Returns all addresses of a name from this server only; rejects if there are none or it fails. */
  readonly lookup: (host: string) => Promise<readonly string[]>;
  /** Number of lookups of addresses so far. */
  readonly lookups: number;
  /** Sets the addresses of a name; an empty list gives an empty answer. */
  set(name: string, addresses: readonly string[]): void;
  /** Switches SERVFAIL for every query on or off. */
  fail(failing: boolean): void;
}

const A = 1;
const AAAA = 28;
const SERVFAIL = 2;

export async function startDnsServer(): Promise<DnsServer> {
  const names = new Map<string, readonly string[]>();
  let failing = false;
  let lookups = 0;
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, question } = readQuestion(query);
    const family = type === A ? 4 : type === AAAA ? 6 : 0;
    const found = failing ? [] : (names.get(name) ?? []).filter((ip) => isIP(ip) === family);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | (failing ? SERVFAIL : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    header.fill(0, 8);
    socket.send(Buffer.concat([header, question, ...found.map((ip) => recordOf(type, ip))]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    get lookups() {
      return lookups;
    },
    lookup: async (host) => {
      lookups += 1;
      const families = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const ips = families.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
      if (ips.length === 0) throw (families[0] as PromiseRejectedResult).reason;
      return ips;
    },
    set: (name, addresses) => void names.set(name, addresses),
    fail: (now) => {
      failing = now;
    },
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** The single question of a query, as text and as bytes. */
function readQuestion(query: Buffer): { name: string; type: number; question: Buffer } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  return { name: labels.join('.').toLowerCase(), type, question: query.subarray(12, at + 5) };
}

/** A record of the name in the question, with TTL 0. */
function recordOf(type: number, ip: string): Buffer {
  const bytes = type === A ? Buffer.from(ip.split('.').map(Number)) : bytesOfIpv6(ip);
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);
  return Buffer.concat([head, bytes]);
}

function bytesOfIpv6(ip: string): Buffer {
  const [left = '', right = ''] = new SocketAddress({ address: ip, family: 'ipv6' }).address.split('::');
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const [before, after] = [groups(left), groups(right)];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const all = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0'));
  return Buffer.from(all.join(''), 'hex');
}
