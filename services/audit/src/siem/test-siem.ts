import { randomUUID } from 'node:crypto';
import type * as siem from '@claviger/contracts/audit/v1/siem';
import { anyOf } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { OutboundError, untilUniform } from '@claviger/outbound';
import type { CallContext, Handler } from '@claviger/service-kit';
import { type SiemEvent, sendEvents } from '@claviger/siem';
import { sql } from 'kysely';
import { type SiemDeps, type SiemTarget, targetsOf } from './deps.ts';
import { problemOf } from './forward.ts';
import { maySeeReason, uniform } from './uniform-answer.ts';

const TIMEOUT_MS = 8_000;

/**
 * Sends a marked event to the destinations, disabled ones included, in the same way as audit events. The
 * audit event is stored before anything is sent. After a success, a failing destination is retried at once.
 */
export function testSiem(deps: SiemDeps): Handler<typeof siem.SiemService.testSiem> {
  return async (request, context) => {
    const { tenantId } = context;
    const all = await targetsOf(deps.settings, tenantId, { maxAgeMs: 0 });
    const targets = request.target === '' ? all : all.filter(({ name }) => name === request.target);
    if (request.target !== '' && targets.length === 0)
      throw ClavigerError.invalid(
        '/target',
        'must be the name of a destination in the settings siem.targets',
      );
    const event = testEvent(context);
    const names = targets.map(({ name }) => name);
    await deps.database.withTenant(tenantId, (tx) =>
      deps.emitter.audit(tx, context, {
        subject: { type: 'siem', id: request.target },
        details: { targets: names, testEventId: event.id },
      }),
    );
    const startedAt = performance.now();
    const results = await Promise.all(targets.map((target) => tried(deps, target, event, context)));
    const taken = results.filter(({ ok }) => ok).map(({ name }) => name);
    await tryAgainNow(deps, tenantId, taken);
    const ok = results.length > 0 && taken.length === results.length;
    if (ok || maySeeReason(context)) return { eventId: event.id, ok, results };
    await untilUniform(startedAt, TIMEOUT_MS, context.signal);
    return { eventId: event.id, ok, results: results.map(uniform) };
  };
}

async function tried(
  deps: SiemDeps,
  target: SiemTarget,
  event: SiemEvent,
  { signal, requestId }: Pick<CallContext, 'signal' | 'requestId'>,
): Promise<siem.SiemTestResult> {
  const start = performance.now();
  const result = (ok: boolean, problem = '', hint = '') => ({
    name: target.name,
    ok,
    latencyMs: Math.round(performance.now() - start),
    problem,
    hint,
  });
  try {
    await sendEvents(target, [event], {
      policy: deps.destinationPolicy(),
      totalTimeoutMs: TIMEOUT_MS,
      signal,
    });
    return result(true);
  } catch (error) {
    deps.logger.warn({ err: error, requestId, target: target.name }, 'the test of a SIEM destination failed');
    return result(false, problemOf(error), error instanceof OutboundError ? error.hint : undefined);
  }
}

async function tryAgainNow(deps: SiemDeps, tenantId: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await deps.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('siem_cursors')
      .set({ next_attempt_at: sql<Date>`least(next_attempt_at, clock_timestamp())` })
      .where('target', '=', anyOf(names, 'text'))
      .execute(),
  );
}

function testEvent({ tenantId, actor, sourceAddress, requestId }: CallContext): SiemEvent {
  return {
    id: randomUUID(),
    tenantId,
    sequence: undefined,
    leafHash: '',
    action: 'siem.test',
    outcome: 'allowed',
    actorId: actor.userId,
    actorName: actor.userName,
    actorKind: actor.kind,
    subjectType: 'siem',
    subjectId: '',
    resourceId: '',
    service: 'audit',
    sourceAddress,
    requestId,
    reason: 'A test of this destination; not part of the audit log.',
    details: { test: true },
    occurredAt: new Date().toISOString(),
  };
}
