import { startPostgresTarget } from '@claviger/targets';
import { eventually, type Network, type OtlpCollector } from '@claviger/testkit';
import { expect, test } from 'vitest';
import { createPeople, postgresAccount, rotationReaches } from '../../support/main-job.ts';

/**
 * One trace contains a call and its effects, and no secret. The installation sends its spans to the
 * collector.
 */
export function oneTrace(network: () => Network, collectorOf: () => OtlpCollector): void {
  test('one trace contains the REST request, gRPC, SQL, NATS and the job, and no secret', async () => {
    const collector = collectorOf();
    const target = await startPostgresTarget();
    try {
      await network().openTargets(target.port);
      const people = await createPeople(await network().createTenant());
      const account = await postgresAccount(people.admin, target);
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const asked = await people.admin.post(
        `/api/v1/vault/entries/${account.entryId}/rotate`,
        { reason: 'trace' },
        { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } },
      );
      expect(asked.status).toBe(202);
      await rotationReaches(people.admin, account.entryId, ['verified']);
      const names = await eventually(() => {
        const spans = collector.spans.filter((span) => span.traceId === traceId);
        const seen = spans.map((span) => `${span.service} ${span.name}`);
        for (const part of [
          'gateway POST',
          'vault claviger.vault.v1.EntriesService/RotateEntry',
          'vault transaction',
          'audit process',
          'vault.rotate-credential process',
        ]) {
          expect(
            seen.some((name) => name.includes(part)),
            `${part} in ${seen.join(', ')}`,
          ).toBe(true);
        }
        return spans;
      });
      // Every span except the first has a parent in the same trace.
      const ids = new Set(names.map((span) => span.spanId));
      expect(
        names.filter((span) => !ids.has(span.parentSpanId) && span.parentSpanId !== 'b7ad6b7169203331'),
      ).toEqual([]);
      expect(collector.bodies.filter((body) => body.includes(account.password))).toEqual([]);
    } finally {
      await target.stop();
    }
  });
}
