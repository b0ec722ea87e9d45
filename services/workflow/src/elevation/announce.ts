import type { Tx } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { WorkflowSchema } from '../schema.ts';
import type { ElevationRow } from './elevation-schema.ts';

export type Announced =
  | 'requested'
  | 'auto_approved'
  | 'approved'
  | 'denied'
  | 'ignored'
  | 'actuating'
  | 'claimed'
  | 'revoked'
  | 'expired'
  | 'outcome';

/** Publishes `event.elevation.<what>` in the transaction of the change. It contains no names of persons. */
export async function announce(
  emitter: Pick<Emitter, 'event'>,
  tx: Tx<WorkflowSchema>,
  row: Pick<
    ElevationRow,
    'tenant_id' | 'id' | 'device_id' | 'site_id' | 'flow_type' | 'status' | 'actuation_outcome'
  >,
  what: Announced,
): Promise<void> {
  await emitter.event(tx, row.tenant_id, `elevation.${what}`, {
    tenantId: row.tenant_id,
    requestId: row.id,
    deviceId: row.device_id,
    siteId: row.site_id,
    flowType: row.flow_type,
    status: row.status,
    actuationOutcome: row.actuation_outcome,
  });
}
