import { type HttpBinding, type MethodInfo, methods } from '@claviger/contracts';
import { eventually, type RestAnswer, type RestClient } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sample } from '../../conformance/sample.ts';
import { fillPath, samples } from '../../conformance/samples.ts';
import { buildWorld, type World } from '../../conformance/world.ts';
import type { Topology } from '../../support/topology.ts';

/** Every operation of the contract on a read-only database. */
export function readOnlyDatabase(topology: Topology): void {
  interface Call {
    readonly method: MethodInfo;
    readonly binding: HttpBinding;
    readonly client: RestClient;
    readonly sample: Sample;
  }

  let world: World;
  const calls: Call[] = [];

  beforeAll(async () => {
    world = await buildWorld(topology.network);
    for (const method of methods.values()) {
      const [binding] = method.http;
      const make = samples[method.name];
      if (!(binding && make)) continue;
      const sample = await make(world);
      calls.push({ method, binding, client: sample.client ?? callerOf(method), sample });
    }
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  function callerOf({ policy }: MethodInfo): RestClient {
    if (policy!.agent) return world.agent;
    if (policy!.platform) return world.platform;
    return policy!.stepUp ? world.steppedUp : world.admin;
  }

  const send = ({ client, binding, sample }: Call): Promise<RestAnswer> =>
    client.call(
      binding.method,
      fillPath(binding.path, sample.params) + (sample.query ?? ''),
      binding.body ? (sample.body ?? {}) : undefined,
    );

  async function setReadOnly(value: 'on' | 'off'): Promise<void> {
    await topology.network.superuser(async (db) => {
      await db.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
      await db.query('SELECT pg_reload_conf()');
    });
  }

  test('with a read-only database every operation answers 503 or its data, and none answers 500', async () => {
    const { admin } = world;
    await setReadOnly('on');
    try {
      const note = () =>
        admin.post('/api/v1/vault/entries', { name: 'never', type: 'note', secret: 'value' });
      await eventually(async () => expect((await note()).status).toBe(503));
      const wrong: { operation: string; status: number; body: string }[] = [];
      for (const call of calls) {
        const { method, status, text } = { method: call.method, ...(await send(call)) };
        const stores = method.policy!.audit !== '';
        const accepted = stores
          ? status === 503 || (status >= 400 && status < 500)
          : status < 500 || status === 503;
        if (!accepted) wrong.push({ operation: method.name, status, body: text.slice(0, 200) });
      }
      expect(wrong).toEqual([]);
    } finally {
      await setReadOnly('off');
    }
    await eventually(async () => {
      const stored = await admin.post('/api/v1/vault/entries', {
        name: 'again',
        type: 'note',
        secret: 'value',
      });
      expect(stored.status).toBe(201);
    });
  });
}
