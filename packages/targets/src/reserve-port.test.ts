import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { reservePort } from './reserve-port.ts';

test('of many targets no two get one port, and a server of 127.0.0.1 can come to it again and again', async () => {
  const reserved = await Promise.all(Array.from({ length: 300 }, reservePort));
  try {
    expect(new Set(reserved.map(({ port }) => port)).size).toBe(300);
    for (let turn = 0; turn < 2; turn += 1) {
      const server = createServer().listen(reserved[0]!.port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
  } finally {
    for (const each of reserved) each[Symbol.dispose]();
  }
});
