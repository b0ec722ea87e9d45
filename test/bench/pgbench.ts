import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Network } from '@claviger/testkit';

const run = promisify(execFile);

interface VaultDatabase {
  database: { host: string; port: number; name: string; user: string; passwordFile: string; schema: string };
}

/**
 * Transactions a second of pgbench for the statements of a retrieve: tenant, select of the encrypted version,
 * insert of the audit row, commit. Same server, same role, row-level security included, prepared statements.
 */
export async function bareTransaction(
  network: Network,
  target: { tenantId: string; entryId: string },
  clients: number,
  seconds: number,
): Promise<number> {
  const { database } = JSON.parse(
    readFileSync(join(network.access.dataDir, 'config/vault-1.json'), 'utf8'),
  ) as VaultDatabase;
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'));
  try {
    const script = join(folder, 'retrieve.sql');
    writeFileSync(
      script,
      `BEGIN;
SELECT set_config('app.tenant_id', '${target.tenantId}', true);
SELECT ciphertext, iv, tag, commitment, wrapped_cek FROM ${database.schema}.entry_versions WHERE tenant_id = '${target.tenantId}' AND entry_id = '${target.entryId}' AND state = 'current';
INSERT INTO ${database.schema}.outbox (tenant_id, event_id, subject, payload, mac) VALUES ('${target.tenantId}', gen_random_uuid(), 'bench.none', repeat('x', 600), sha256('x'));
COMMIT;
`,
    );
    const passFile = join(folder, 'pgpass');
    writeFileSync(passFile, `*:*:*:*:${readFileSync(database.passwordFile, 'utf8').trim()}\n`, {
      mode: 0o600,
    });
    const { stdout } = await run(
      'pgbench',
      [
        '-n',
        '-M',
        'prepared',
        '-c',
        String(clients),
        '-j',
        '2',
        '-T',
        String(seconds),
        '-f',
        script,
        '-h',
        database.host,
        '-p',
        String(database.port),
        '-U',
        database.user,
        database.name,
      ],
      {
        env: { ...process.env, PGPASSFILE: passFile, PATH: `${process.env.PATH}:/usr/lib/postgresql/15/bin` },
      },
    );
    const tps = /tps = ([\d.]+) \(without initial connection time\)/.exec(stdout);
    if (!tps) throw new Error(`pgbench said: ${stdout}`);
    return Number(tps[1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
