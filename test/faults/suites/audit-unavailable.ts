import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Topology } from '../../support/topology.ts';

/** Writing operations are refused while their audit event cannot be stored. */
export function auditUnavailable(topology: Topology): void {
  test('H-123 when the audit record cannot be written, a secret is not decrypted and nothing is changed', async () => {
    const { network } = topology;
    const tenant = await network.createTenant();
    const secret = `kept-${randomUUID()}`;
    const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
      name: 'kept',
      type: 'note',
      secret,
    });
    const retrieve = () =>
      tenant.admin.client.post(`/api/v1/vault/entries/${entry.id}/retrieve`, { reason: 'fault' });
    expect((await retrieve()).body.secret).toBe(secret);
    const seen = () =>
      network.superuser(
        async (client) =>
          (
            await client.query('SELECT sum(times)::int AS n FROM vault.exposures WHERE tenant_id = $1', [
              tenant.id,
            ])
          ).rows[0].n as number,
      );
    const before = await seen();

    await network.superuser((client) =>
      client.query(`
      CREATE FUNCTION vault.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no audit today'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON vault.outbox FOR EACH ROW EXECUTE FUNCTION vault.refuse();`),
    );
    const refused = await retrieve();
    expect(refused.status).toBe(503);
    expect(refused.body.code).toBe('audit_unavailable');
    expect(refused.text).not.toContain(secret);
    expect(await seen()).toBe(before);
    const change = await tenant.admin.client.put(`/api/v1/vault/entries/${entry.id}`, {
      description: 'changed',
    });
    expect(change.status).toBe(503);

    await network.superuser((client) => client.query('DROP FUNCTION vault.refuse CASCADE'));
    expect((await retrieve()).body.secret).toBe(secret);
    expect((await tenant.admin.client.must('GET', `/api/v1/vault/entries/${entry.id}`)).description).not.toBe(
      'changed',
    );
  });
}
