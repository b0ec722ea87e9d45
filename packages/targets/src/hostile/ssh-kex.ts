import type { Socket } from 'node:net';
import { readMessages } from './message-reader.ts';

const KEXINIT = 20;
const GROUP = 31;
const GROUP_REQUEST = 34;

function name(text: string): Buffer {
  const bytes = Buffer.alloc(4 + text.length, text);
  bytes.writeUInt32BE(text.length);
  bytes.write(text, 4);
  return bytes;
}

/** A packet before any encryption. */
function packet(type: number, ...parts: Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.from([type]), ...parts]);
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const header = Buffer.alloc(5);
  header.writeUInt32BE(payload.length + padding + 1);
  header[4] = padding;
  return Buffer.concat([header, payload, Buffer.alloc(padding)]);
}

function offer(kex: string): Buffer {
  const lists = [
    kex,
    'ssh-ed25519',
    'aes128-ctr',
    'aes128-ctr',
    'hmac-sha2-256',
    'hmac-sha2-256',
    'none',
    'none',
    '',
    '',
  ];
  return packet(KEXINIT, Buffer.alloc(16), ...lists.map(name), Buffer.alloc(5));
}

/** Offers this key exchange, and, where the client asks for a group, one of 32,000 bits. */
export function offerKeyExchange(socket: Socket, kex: string): void {
  socket.write('SSH-2.0-hostile\r\n');
  socket.write(offer(kex));
  let identified = false;
  readMessages(
    socket,
    (bytes) => {
      if (!identified) {
        const end = bytes.indexOf('\n');
        return end < 0 ? undefined : end + 1;
      }
      return bytes.length < 4 ? undefined : bytes.readUInt32BE(0) + 4;
    },
    (bytes) => {
      if (!identified) identified = true;
      else if (bytes[5] === GROUP_REQUEST) {
        const prime = Buffer.alloc(4 + 4_000, 0xff);
        prime.writeUInt32BE(4_000);
        prime[4] = 0x7f;
        socket.write(packet(GROUP, prime, Buffer.from([0, 0, 0, 1, 2])));
      }
    },
  );
}
