import { expect, test } from 'vitest';
import { ownServersOf } from './own-servers.ts';

const files = { certFile: 'c', keyFile: 'k', caFile: 'a' };
const config = {
  grpc: { listen: '0.0.0.0:7001', ...files },
  health: { listen: '[::]:7002' },
  peers: { auth: ['auth-1.internal:7003', '10.0.0.4:7003'], vault: ['localhost:7004'] },
  redis: { host: 'redis.internal', port: 6379, passwordFile: 'p' },
  nats: { url: 'nats://n1.internal,nats://n2.internal:4223', user: 'u', passwordFile: 'p' },
  database: { host: '/run/postgresql', port: 5432 } as Parameters<typeof ownServersOf>[0]['database'],
  telemetry: { otlpEndpoint: 'https://traces.internal/v1' },
  outbound: { ownServers: ['127.0.0.1:7101', '127.0.0.1:7002'] },
};

test('every server in the configuration is an own server, including sockets and wildcard addresses', () => {
  expect(ownServersOf(config).sort()).toEqual(
    [
      '127.0.0.1:7101',
      '127.0.0.1:7001',
      '127.0.0.1:7002',
      'auth-1.internal:7003',
      '10.0.0.4:7003',
      '127.0.0.1:7004',
      'redis.internal:6379',
      '127.0.0.1:5432',
      'n1.internal:4222',
      'n2.internal:4223',
      'traces.internal:443',
    ].sort(),
  );
});

test('IPv6 addresses keep their brackets, and port 0 is left out', () => {
  const servers = ownServersOf({
    ...config,
    health: { listen: '127.0.0.1:0' },
    redis: { ...config.redis, host: 'fd00::7' },
    nats: { ...config.nats, url: 'nats://[fd00::8]:4222' },
  });
  expect(servers).toEqual(expect.arrayContaining(['[fd00::7]:6379', '[fd00::8]:4222']));
  expect(servers.filter((server) => server.endsWith(':0'))).toEqual([]);
});
