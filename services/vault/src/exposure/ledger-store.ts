import { rowMapper } from '@claviger/contracts';
import type * as exposure from '@claviger/contracts/vault/v1/exposure';
import type { SortFields } from '@claviger/database';
import { type Selectable, sql } from 'kysely';
import type { VaultReader, VaultSchema } from '../schema.ts';

type LedgerRow = Selectable<VaultSchema['exposure_ledger']> & { readonly paths: readonly PathRow[] };
interface PathRow {
  readonly kind: string;
  readonly via: string;
  readonly at: string;
}

const MAX_PATHS = 50;
const NONE = '00000000-0000-0000-0000-000000000000';

export const LEDGER_SORT: SortFields = {
  lastSeenAt: { column: 'exposure_ledger.last_seen_at', type: 'timestamptz' },
  firstSeenAt: { column: 'exposure_ledger.first_seen_at', type: 'timestamptz' },
  entryName: { column: 'exposure_ledger.entry_name', type: 'text' },
  resourceName: { column: 'exposure_ledger.asset_name', type: 'text' },
  userName: { column: 'exposure_ledger.user_name', type: 'text' },
  version: { column: 'exposure_ledger.version', type: 'int8' },
};
export const LEDGER_TIE = { column: 'exposure_ledger.key', type: 'text' } as const;

/** The ledger with the latest fifty paths of each row. No filter, no order, no limit. */
export function ledger(reader: VaultReader) {
  return reader.selectFrom('exposure_ledger').selectAll().select(ways());
}

function ways() {
  return sql<readonly PathRow[]>`(
    SELECT jsonb_agg(jsonb_build_object('kind', w.kind, 'via', w.via, 'at', w.last_seen_at) ORDER BY w.last_seen_at, w.kind, w.via)
    FROM (SELECT p.kind, p.via, p.last_seen_at FROM exposure_paths p
      WHERE (p.tenant_id, p.entry_id, p.version, p.user_id)
        = (exposure_ledger.tenant_id, exposure_ledger.entry_id, exposure_ledger.version, exposure_ledger.user_id)
      ORDER BY p.last_seen_at DESC, p.kind, p.via LIMIT ${MAX_PATHS}) w)`.as('paths');
}

const mapExposure = rowMapper<exposure.Exposure>('claviger.vault.v1.Exposure');

export function toExposure(row: LedgerRow): exposure.Exposure {
  return mapExposure({
    ...row,
    resource_id: row.asset_id,
    resource_name: row.asset_name,
    paths: row.paths.map(({ kind, via, at }) => ({
      kind,
      grantId: via === NONE ? '' : via,
      lastSeenAt: new Date(at).toISOString(),
    })),
    rotation: rotationOf(row),
  });
}

/** The state of the secret's rotation, as a value of the contract. */
export function rotationOf(row: Pick<LedgerRow, 'current' | 'under_way' | 'due' | 'obstacle'>): string {
  if (!row.current) return 'done';
  if (row.under_way) return 'queued';
  if (row.obstacle === 'not_rotatable') return 'not-rotatable';
  if (row.obstacle !== null) return 'by-hand';
  return row.due ? 'queued' : 'possible';
}
