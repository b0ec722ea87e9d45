import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { type Generated, type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';
import type { Tx } from './database.ts';
import type { Migration } from './migrate.ts';

/** With the outbox, part of the first migrations of every service with state. */
export const tenantStatusMigration: Migration = {
  name: '0000-tenant-standings',
  sql: readFileSync(join(import.meta.dirname, 'tenant-status.sql'), 'utf8'),
};

export type TenantStatus = 'active' | 'suspended' | 'deprovisioning' | 'deprovisioned';

export interface TenantStatusSchema {
  tenant_standings: {
    tenant_id: string;
    standing: TenantStatus;
    version: number;
    active_since: Date | null;
    changed_at: Generated<Date>;
  };
}

const LOCK_CLASS = 0x74656e61;
const lockKeys = sql`${LOCK_CLASS}::int, hashtext(current_tenant()::text)`;

interface Known {
  status: TenantStatus;
  version: number;
  active_since: Date | null;
}

/**
 * For duties and job workers, in their write transaction. Throws `denied` (`tenant_suspended`) or `gone`
 * (`tenant_deprovisioned`) unless the tenant is active. A suspension waits until the transaction ends, so
 * nothing is done after the suspension was confirmed. With `queuedAt`, also refuses work that was queued
 * before the tenant was reinstated (conflict `queued_before_reinstatement`). Do not call it for clean-up
 * (expiry, revocation), which continues during a suspension.
 */
export async function requireActiveTenant(
  tx: QueryExecutorProvider,
  options: { readonly queuedAt?: Date | undefined } = {},
): Promise<void> {
  const [, { rows }] = await Promise.all([
    sql`SELECT pg_advisory_xact_lock_shared(${lockKeys})`.execute(tx),
    // A separate statement, because its snapshot must be newer than the lock.
    readKnown(tx),
  ]);
  const known = rows[0];
  if (!known) return;
  if (known.status !== 'active') throw tenantNotActive(known.status);
  if (options.queuedAt && known.active_since && options.queuedAt < known.active_since) {
    throw new ClavigerError('conflict', 'The job was queued before the tenant was suspended.', {
      code: 'queued_before_reinstatement',
      hint: 'Request it again.',
    });
  }
}

/**
 * Like `requireActiveTenant`, for callers that must not reveal the reason: false unless the tenant is active.
 */
export async function isActiveTenant(tx: QueryExecutorProvider): Promise<boolean> {
  try {
    await requireActiveTenant(tx);
    return true;
  } catch (error) {
    if (isClavigerError(error) && (error.reason === 'denied' || error.reason === 'gone')) return false;
    throw error;
  }
}

/**
 * The stored status, locked until the transaction ends; undefined when this store has none for the tenant.
 */
export async function lockedTenantStatus(
  tx: QueryExecutorProvider,
): Promise<{ readonly status: TenantStatus; readonly version: number } | undefined> {
  await sql`SELECT pg_advisory_xact_lock_shared(${lockKeys})`.execute(tx);
  return (await readKnown(tx)).rows[0];
}

/** For queries of the system role for due rows: `.where(ofActiveTenant('rotations.tenant_id'))`. */
export function ofActiveTenant(tenantIdColumn: string): RawBuilder<boolean> {
  return sql<boolean>`NOT EXISTS (SELECT FROM tenant_standings t
    WHERE t.tenant_id = ${sql.ref(tenantIdColumn)} AND t.standing <> 'active')`;
}

export interface TenantStatusChange {
  /** False when this version or a later one was already stored. */
  readonly changed: boolean;
  readonly before: TenantStatus;
}

/**
 * Stores the status of the transaction's tenant if the version is newer. Waits for transactions that rely on
 * the former status.
 */
export async function applyTenantStatus<DB>(
  tx: Tx<DB>,
  tenantId: string,
  next: { readonly status: TenantStatus; readonly version: number },
): Promise<TenantStatusChange> {
  await sql`SELECT pg_advisory_xact_lock(${lockKeys})`.execute(tx);
  const known = (await readKnown(tx)).rows[0];
  const before = known?.status ?? 'active';
  if (known && known.version >= next.version) return { changed: false, before };
  const activeSince = next.status === 'active' ? sql`clock_timestamp()` : sql`NULL::timestamptz`;
  await sql`INSERT INTO tenant_standings (tenant_id, standing, version, active_since)
    VALUES (${tenantId}::uuid, ${next.status}, ${next.version}, ${activeSince})
    ON CONFLICT (tenant_id) DO UPDATE SET standing = excluded.standing, version = excluded.version,
      active_since = excluded.active_since, changed_at = clock_timestamp()`.execute(tx);
  return { changed: true, before };
}

/** The refusal for a status other than active. */
export function tenantNotActive(status: TenantStatus): ClavigerError {
  return status === 'deprovisioned'
    ? new ClavigerError('gone', 'The tenant was deprovisioned: its keys are destroyed.', {
        code: 'tenant_deprovisioned',
      })
    : new ClavigerError('denied', 'The tenant is suspended.', {
        code: 'tenant_suspended',
        hint: 'Ask the operator of this installation.',
      });
}

const readKnown = (tx: QueryExecutorProvider) =>
  sql<Known>`SELECT standing AS status, version, active_since FROM tenant_standings WHERE tenant_id = current_tenant()`.execute(
    tx,
  );
