import type { Basis, PackageBuilder, Row, Section, TableName } from '@claviger/compliance-package';
import type { CallOptions } from '@claviger/service-kit';
import type { Evidence } from '../deps.ts';
import { evidenceRows } from './evidence-pages.ts';

const DAY_MS = 86_400_000;

/** Adds the tables of other services. A table without history shows the state when the package is made. */
export async function addEvidence(
  builder: PackageBuilder,
  sections: readonly Section[],
  evidence: Evidence,
  when: { readonly from: Date; readonly before: Date; readonly asOf: Date },
  options: CallOptions,
): Promise<void> {
  const { auth, vault, workflow } = evidence;
  const range = { from: when.from.toISOString(), before: when.before.toISOString() };
  const names = new Map<string, string>();
  const named = <T extends { userId: string }>(row: T) => ({ ...row, username: names.get(row.userId) ?? '' });

  if (sections.includes('access')) {
    await fill(
      builder,
      'access-users',
      'when-made',
      noted(evidenceRows(auth.listAccountEvidence, {}, options), names),
    );
    const shares = evidenceRows(vault.listShareEvidence, {}, options);
    await fill(builder, 'access-shares', 'when-made', mapped(shares, named));
    // Entitlements in the future are unknown: use the present instead.
    const at = new Date(Math.min(when.before.getTime(), when.asOf.getTime()));
    const entitlements = evidenceRows(vault.listEntitlementEvidence, { at: at.toISOString() }, options);
    await fill(builder, 'access-entitlements', 'end-of-range', mapped(entitlements, named));
    const policies = evidenceRows(workflow.listPolicyEvidence, {}, options);
    await fill(builder, 'access-policies', 'when-made', policies);
  }
  if (sections.includes('rotations'))
    await fill(builder, 'rotations', 'range', evidenceRows(vault.listRotationEvidence, range, options));
  if (sections.includes('approvals'))
    await fill(builder, 'approvals', 'range', evidenceRows(workflow.listApprovalEvidence, range, options));
  if (sections.includes('keys')) {
    const keys = evidenceRows(vault.listKeyEvidence, {}, options);
    const aged = mapped(keys, (key) => ({
      ...key,
      ageDays: Math.floor((when.asOf.getTime() - Date.parse(key.createdAt ?? '')) / DAY_MS),
    }));
    await fill(builder, 'keys', 'when-made', aged);
  }
}

async function fill(
  builder: PackageBuilder,
  name: TableName,
  basis: Basis,
  rows: AsyncIterable<object>,
): Promise<void> {
  const table = builder.table(name, basis);
  for await (const row of rows) await table.add(defined(row));
  await table.end();
}

/** Drops members without a value, as JSON does. */
export function defined(row: object): Row {
  return JSON.parse(JSON.stringify(row)) as Row;
}

async function* mapped<T, U>(rows: AsyncIterable<T>, map: (row: T) => U): AsyncGenerator<U> {
  for await (const row of rows) yield map(row);
}

async function* noted<T extends { userId: string; username: string }>(
  rows: AsyncIterable<T>,
  names: Map<string, string>,
): AsyncGenerator<T> {
  for await (const row of rows) {
    names.set(row.userId, row.username);
    yield row;
  }
}
