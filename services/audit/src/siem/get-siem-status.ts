import type * as siem from '@claviger/contracts/audit/v1/siem';
import type { Reader } from '@claviger/database';
import { UNIFORM_PROBLEM } from '@claviger/outbound';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuditSchema, SiemCursorRow } from '../schema.ts';
import { type SiemDeps, type SiemTarget, targetsOf } from './deps.ts';
import { maySeeReason } from './uniform-answer.ts';

/** Returns the position and the last result of each destination. */
export function getSiemStatus(deps: SiemDeps): Handler<typeof siem.SiemService.getSiemStatus> {
  return async (_, { tenantId, actor }) => {
    const targets = await targetsOf(deps.settings, tenantId, { maxAgeMs: 0 });
    return deps.database.readTenant(tenantId, async (reader) => {
      const tree = await reader.selectFrom('trees').select('size').executeTakeFirst();
      const cursors = await reader.selectFrom('siem_cursors').selectAll().execute();
      const logSize = tree?.size ?? 0;
      const items: siem.SiemTargetStatus[] = [];
      for (const target of targets) {
        const cursor = cursors.find(({ target: name }) => name === target.name);
        const waiting = await waitingFor(reader, target, cursor, logSize);
        const item = { ...shown(target), ...place(target, cursor), ...waiting };
        const hides = item.lastError !== '' && !maySeeReason({ actor });
        items.push(hides ? { ...item, lastError: UNIFORM_PROBLEM } : item);
      }
      return { items, logSize };
    });
  };
}

async function waitingFor(
  reader: Reader<AuditSchema>,
  target: SiemTarget,
  cursor: SiemCursorRow | undefined,
  logSize: number,
) {
  const next = cursor?.next_sequence ?? (target.startAt === 'now' ? logSize : 0);
  const { rows } = await sql<{ occurred_at: Date; age_s: number }>`
    SELECT occurred_at, greatest(0, extract(epoch FROM clock_timestamp() - occurred_at))::bigint AS age_s
    FROM events WHERE tenant_id = current_tenant() AND sequence = ${next}`.execute(reader);
  const [oldest] = rows;
  return {
    lagEvents: Math.max(0, logSize - next),
    oldestUnsentAt: oldest?.occurred_at.toISOString(),
    oldestUnsentAgeSeconds: oldest?.age_s ?? 0,
  };
}

function place(target: SiemTarget, cursor: SiemCursorRow | undefined) {
  return {
    state: stateOf(target, cursor),
    nextSequence: cursor?.next_sequence,
    lastSuccessAt: cursor?.last_success_at?.toISOString(),
    lastFailureAt: cursor?.last_failure_at?.toISOString(),
    lastError: cursor?.last_error ?? '',
    failures: cursor?.failures ?? 0,
    nextAttemptAt: cursor && cursor.failures > 0 ? cursor.next_attempt_at.toISOString() : undefined,
  };
}

function stateOf(target: SiemTarget, cursor: SiemCursorRow | undefined): string {
  if (!target.enabled) return 'disabled';
  if (!cursor?.last_success_at) return 'never_connected';
  return cursor.failures > 0 ? 'retrying' : 'ok';
}

function shown(target: SiemTarget) {
  const { name, transport, format } = target;
  const maxMessageBytes = target.transport === 'https' ? undefined : target.maxMessageBytes;
  return { name, transport, format, maxMessageBytes, address: addressOf(target) };
}

/** Returns the address without the query, which may contain a token. */
function addressOf(target: SiemTarget): string {
  if (target.transport !== 'https')
    return target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  const { origin, pathname } = new URL(target.url);
  return `${origin}${pathname}`;
}
