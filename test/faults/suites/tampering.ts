import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInProcess } from '@claviger/cli/test-in-process';
import { eventually } from '@claviger/testkit';
import { expect, test } from 'vitest';
import type { Topology } from '../../support/topology.ts';

/** Offline verification detects changes of the log by a database superuser. Damages the logs permanently. */
export function tampering(topology: Topology): void {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-tampering-'));

  /** A tenant with a sequenced log, and the tree head and keys that its auditor saved. */
  interface Log {
    readonly tenantId: string;
    /** The exit code of an offline check of a new export against the saved head and keys. */
    verdict(): Promise<{ code: number; output: string }>;
  }

  async function sealedLog(): Promise<Log> {
    const tenant = await topology.network.createTenant();
    const { client } = tenant.admin;
    for (let i = 0; i < 12; i += 1) {
      await client.must('POST', '/api/v1/vault/entries', { name: `note ${i}`, type: 'note', secret: 'x' });
    }
    const head = await eventually(async () => {
      const { unsealedEvents, sealedEvents } = await client.must('GET', '/api/v1/audit/summary');
      expect(unsealedEvents).toBe(0);
      expect(sealedEvents).toBeGreaterThanOrEqual(14);
      return client.must('GET', '/api/v1/audit/tree-head');
    });
    const file = (name: string, content: string): string => {
      const path = join(folder, `${tenant.name}-${name}`);
      writeFileSync(path, content);
      return path;
    };
    const headFile = file('head.json', JSON.stringify(head));
    const keysFile = file('keys.json', JSON.stringify(await client.must('GET', '/api/v1/audit/keys')));
    return {
      tenantId: tenant.id,
      verdict: async () => {
        const exported = await client.get('/api/v1/audit/events/export?format=jsonl');
        if (exported.status !== 200) return { code: 1, output: `export answered ${exported.status}` };
        const args = [
          'audit',
          'verify',
          file('export.jsonl', exported.text),
          '--head',
          headFile,
          '--keys',
          keysFile,
        ];
        const { code, stdout, stderr } = await runInProcess(args, { env: {} });
        return { code, output: stdout + stderr };
      },
    };
  }

  /** Sequence number of an event about a note inside the log; events of one second have no fixed order. */
  const NOTE = `(SELECT max(sequence) FROM audit.events
  WHERE tenant_id = $tenant AND sequence < 12 AND canonical LIKE '%note%')`;

  test('an unchanged log verifies', async () => {
    const log = await sealedLog();
    const { code, output } = await log.verdict();
    expect(code, output).toBe(0);
  });

  test.each([
    [
      'an altered payload',
      `UPDATE audit.events SET canonical = replace(canonical, 'note', 'n0te') WHERE tenant_id = $tenant AND sequence = $note`,
    ],
    [
      'an altered leaf hash',
      `UPDATE audit.events SET leaf_hash = sha256('x') WHERE tenant_id = $tenant AND sequence = 5`,
    ],
    [
      'an altered payload with its leaf hash made anew',
      `UPDATE audit.events SET canonical = replace(canonical, 'note', 'n0te'),
       leaf_hash = sha256('\\x00'::bytea || convert_to(replace(canonical, 'note', 'n0te'), 'UTF8')) WHERE tenant_id = $tenant AND sequence = $note`,
    ],
    ['a deleted event', `DELETE FROM audit.events WHERE tenant_id = $tenant AND sequence = 5`],
    [
      'a deleted event with the others moved up',
      `DELETE FROM audit.events WHERE tenant_id = $tenant AND sequence = 5;
     UPDATE audit.events SET sequence = sequence + 1000000 WHERE tenant_id = $tenant AND sequence > 5;
     UPDATE audit.events SET sequence = sequence - 1000001 WHERE tenant_id = $tenant AND sequence > 1000000`,
    ],
    [
      'two swapped events',
      `UPDATE audit.events SET sequence = 1000000 WHERE tenant_id = $tenant AND sequence = 5;
     UPDATE audit.events SET sequence = 5 WHERE tenant_id = $tenant AND sequence = 6;
     UPDATE audit.events SET sequence = 6 WHERE tenant_id = $tenant AND sequence = 1000000`,
    ],
    ['an altered tree head', `UPDATE audit.tree_heads SET root_hash = sha256('x') WHERE tenant_id = $tenant`],
    [
      'an altered signature',
      `UPDATE audit.tree_heads SET signature = reverse(signature) WHERE tenant_id = $tenant`,
    ],
    [
      'a cut tail, its head with it',
      `DELETE FROM audit.events WHERE tenant_id = $tenant AND sequence >= 6;
     DELETE FROM audit.tree_heads WHERE tenant_id = $tenant AND size > 6`,
    ],
  ])('%s is detected', async (_, sql) => {
    const log = await sealedLog();
    // Only a superuser who disables the triggers can do this.
    await topology.network.superuser(async (client) => {
      await client.query('SET session_replication_role = replica');
      const statement = sql.replaceAll('$note', NOTE).replaceAll('$tenant', `'${log.tenantId}'`);
      await client.query(statement);
    });
    const { code, output } = await log.verdict();
    expect(code, output).not.toBe(0);
    // The log is shorter than the saved head. Without that line the failure would be a usage error.
    if (code === 2) expect(output).toContain('✘ head of');
  });
}
