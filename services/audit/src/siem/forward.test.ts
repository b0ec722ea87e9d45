import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { LeadershipLost } from '@claviger/cluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forward } from './forward.ts';
import { startTestLog, type TestLog } from './test-log.ts';

let log: TestLog;
beforeAll(async () => {
  log = await startTestLog();
});
afterAll(async () => log?.[Symbol.asyncDispose]());

test('a former leader changes no cursor, neither after a success nor after a failure', async () => {
  const tenant = randomUUID();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.resume().once('end', () => socket.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = { transport: 'syslog-tcp', host: '127.0.0.1' };
  log.set(tenant, [
    { ...target, name: 'alive', port },
    { ...target, name: 'dead', port: 1 },
  ]);
  await log.append(tenant, 3);
  await log.query(
    `INSERT INTO audit.siem_cursors (tenant_id, target, active, next_sequence) VALUES ($1, 'alive', true, 0), ($1, 'dead', true, 0)`,
    [tenant],
  );
  const { signal } = new AbortController();
  const refused = {
    signal,
    assert: async () => {
      throw new LeadershipLost('over');
    },
  };
  for (const name of ['alive', 'dead']) {
    const due = { tenantId: tenant, target: name, failing: false };
    await expect(forward(log.deps, refused, due)).rejects.toThrow(LeadershipLost);
    expect(await log.cursor(tenant, name)).toMatchObject({ next_sequence: 0, failures: 0 });
    await forward(log.deps, { signal, assert: async () => {} }, due);
  }
  expect(await log.cursor(tenant, 'alive')).toMatchObject({ next_sequence: 3, failures: 0 });
  expect(await log.cursor(tenant, 'dead')).toMatchObject({ next_sequence: 0, failures: 1 });
  server.close();
});
