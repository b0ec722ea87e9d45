/**
 * Measures the refusals of sign-in: unknown tenant, unknown user, wrong password, locked account. Samples are
 * interleaved, each from a new address; asserts nothing. `node test/bench/sign-in-times.ts [--samples N]`.
 */
import { parseArgs } from 'node:util';
import { startNetwork, type TestUser } from '@claviger/testkit';
import { row } from './print.ts';

const { values } = parseArgs({ options: { samples: { type: 'string', default: '60' } } });
const samples = Number(values.samples);
/** Fewer than the five that lock an account. */
const TRIES_EACH = 4;

const started = await startNetwork({ logLevel: 'warn' });
try {
  const { network } = started;
  const tenant = await network.createTenant();
  let addresses = 0;
  const refuse = async (username: string, of: string): Promise<number> => {
    addresses += 1;
    const client = network.anonymous.from(`127.8.${addresses >> 8}.${addresses & 255}`);
    // Excludes the TLS handshake from the measurement.
    await client.get('/system/health/ping');
    const start = performance.now();
    const answer = await client.post('/api/v1/auth/login', { username, password: 'wrong', tenant: of });
    if (answer.status !== 401) throw new Error(`a sign-in answered ${answer.status}: ${answer.text}`);
    return performance.now() - start;
  };
  const locked = await tenant.createUser([]);
  for (let i = 0; i < 5; i += 1) await refuse(locked.username, tenant.name);
  const users: TestUser[] = [];
  for (let i = 0; i < samples / TRIES_EACH; i += 1) users.push(await tenant.createUser([]));

  const cases: Readonly<Record<string, (i: number) => Promise<number>>> = {
    'unknown tenant': (i) => refuse(`nobody-${i}`, `no-such-tenant-${i}`),
    'unknown user': (i) => refuse(`nobody-${i}`, tenant.name),
    'wrong password': (i) => refuse(users[Math.floor(i / TRIES_EACH)]!.username, tenant.name),
    'locked account': () => refuse(locked.username, tenant.name),
  };
  const times = new Map(Object.keys(cases).map((name) => [name, [] as number[]]));
  const names = Object.keys(cases);
  for (let i = 0; i < samples; i += 1) {
    // Each case is the first of a round equally often.
    for (let k = 0; k < names.length; k += 1) {
      const name = names[(i + k) % names.length]!;
      times.get(name)!.push(await cases[name]!(i));
    }
  }
  console.log(`\nRefused sign-ins, ${samples} of each, interleaved`);
  console.log(row(['', 'p10 ms', 'median ms', 'p90 ms']));
  for (const [name, list] of times) {
    list.sort((a, b) => a - b);
    const at = (part: number) => list[Math.floor(part * (list.length - 1))]!.toFixed(1);
    console.log(row([name, at(0.1), at(0.5), at(0.9)]));
  }
} finally {
  await started[Symbol.asyncDispose]();
}
