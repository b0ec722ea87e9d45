import { createHash } from 'node:crypto';
import type { FinishedPackage } from '@claviger/compliance-package';
import { sql } from 'kysely';
import type { ComplianceDeps } from '../deps.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { holdLease } from './lease.ts';
import { LeaseLost } from './report-problem.ts';

const CHUNK_BYTES = 512 * 1024;

/**
 * Stores a finished package in chunks, each under the lease, then sets the report to `ready`. Removes the
 * chunks of an earlier attempt first.
 */
export async function storePackage(
  { database, emitter, config }: ComplianceDeps,
  report: ClaimedReport,
  finished: FinishedPackage,
  signal: AbortSignal,
): Promise<void> {
  const { tenantId, id } = report;
  await database.withTenant(tenantId, async (tx) => {
    await holdLease(tx, report, 95);
    await tx.deleteFrom('compliance_package_chunks').where('report_id', '=', id).execute();
  });
  const hash = createHash('sha256');
  let number = 0;
  for await (const bytes of chunksOf(finished.bytes())) {
    if (signal.aborted) throw new LeaseLost();
    hash.update(bytes);
    await database.withTenant(tenantId, async (tx) => {
      await holdLease(tx, report, 95);
      await tx
        .insertInto('compliance_package_chunks')
        .values({ tenant_id: tenantId, report_id: id, number, bytes })
        .execute();
    });
    number += 1;
  }
  const sha256 = hash.digest('hex');
  await database.withTenant(tenantId, async (tx) => {
    await holdLease(tx, report, 100);
    await tx
      .updateTable('compliance_reports')
      .set({
        state: 'ready',
        finished_at: sql<Date>`now()`,
        expires_at: sql<Date>`now() + make_interval(days => ${config.retentionDays})`,
        size_bytes: finished.sizeBytes,
        sha256,
        next_attempt_at: null,
        lease_owner: null,
        lease_until: null,
      })
      .where('id', '=', id)
      .execute();
    await emitter.auditDuty(tx, {
      tenantId,
      action: 'compliance.report.made',
      outcome: 'allowed',
      subjectType: 'compliance-report',
      subjectId: id,
      resourceId: '',
      requestId: '',
      reason: '',
      details: { sha256, sizeBytes: finished.sizeBytes },
    });
  });
}

/** Splits the bytes into chunks of CHUNK_BYTES. */
async function* chunksOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (let part of bytes) {
    while (size + part.length >= CHUNK_BYTES) {
      const fitting = CHUNK_BYTES - size;
      yield Buffer.concat([...pending, part.subarray(0, fitting)]);
      part = part.subarray(fitting);
      pending = [];
      size = 0;
    }
    // Copy: the file stream reuses its buffer.
    if (part.length > 0) pending.push(Buffer.from(part));
    size += part.length;
  }
  if (size > 0) yield Buffer.concat(pending);
}
