import { afterEach, expect, test, vi } from 'vitest';
import { freePorts } from './free-port.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('ports are drawn from the range that the environment names, each once', async () => {
  vi.stubEnv('CLAVIGER_PORT_RANGE', '32100-32119');
  const ports = await freePorts(5);
  expect(new Set(ports).size).toBe(5);
  for (const port of ports) expect(Math.trunc(port / 20)).toBe(1605);
});

test.each(['18000', '19000-18000', '80-90', '60000-70000', 'a-b'])(
  'a range that is none is refused with the name of its variable: %j',
  async (range) => {
    vi.stubEnv('CLAVIGER_PORT_RANGE', range);
    await expect(freePorts(1)).rejects.toThrow(/CLAVIGER_PORT_RANGE/);
  },
);
