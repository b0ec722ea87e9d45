import { randomUUID } from 'node:crypto';
import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { requireActiveTenant, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireActiveAccount } from '../accounts/require-active-account.ts';
import { presentMs } from '../database-clock.ts';
import type { WorkflowSchema } from '../schema.ts';
import { alert } from './alert.ts';
import type { BreakglassSessionRow, OpenedBy } from './breakglass-schema.ts';
import { type BreakglassSettings, breakglassSettings } from './breakglass-settings.ts';
import type { BreakglassDeps } from './deps.ts';
import { expireSessions } from './expire-sessions.ts';
import { isOfflineCode } from './offline-code.ts';
import {
  activationPending,
  alreadyOpen,
  codeMalformed,
  codeNeeded,
  codeNotTaken,
  codesLocked,
  codeWrong,
} from './refusals.ts';
import { sessionDetails, subjectOf } from './session-details.ts';
import { sessionMessage } from './session-view.ts';
import { claimSync } from './sweep-breakglass.ts';
import { syncEmergency } from './sync-emergency.ts';
import { useOfflineCode } from './use-offline-code.ts';

const CONFIRM_WITHIN_MINUTES = 15;
const DEFAULT_MINUTES = 60;
/** The activating call makes the first attempt; the due queue follows after this time. */
export const FIRST_TRY_SECONDS = 12;

interface Ask {
  readonly id: string;
  readonly request: breakglass.ActivateBreakglassRequest;
  readonly durationMinutes: number;
}
type Opened = { readonly row: BreakglassSessionRow; readonly nowMs: number };
type Refused = 'open' | 'wrong' | { readonly lockedSeconds: number };

/**
 * Opens emergency access for the actor: at once with an offline code, else after confirmation by another
 * person. Returns an open session only when auth and the vault have confirmed it. Throws invalid
 * `sealed_code_malformed`, conflict `breakglass_open`, denied `sealed_code_*`, unavailable
 * `activation_pending`.
 */
export function activateBreakglass(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.activateBreakglass> {
  return async (request, context) => {
    const ask = askOf(request, await breakglassSettings(deps, context.tenantId));
    context.auditSubject = subjectOf(ask.id);
    const opened = await deps.database.withTenant(context.tenantId, (tx) => open(deps, tx, context, ask));
    if (opened === 'open') {
      await syncDueSession(deps, context);
      throw alreadyOpen();
    }
    if (opened === 'wrong') throw codeWrong();
    if ('lockedSeconds' in opened) throw codesLocked(opened.lockedSeconds);
    const { row, nowMs } = opened;
    alert(
      deps.logger,
      { sessionId: row.id, userId: row.user_id, state: row.state, openedBy: row.opened_by },
      row.state === 'active' ? 'emergency access is open' : 'emergency access is requested',
    );
    try {
      return { session: sessionMessage(await syncEmergency(deps, row, context.requestId), nowMs) };
    } catch (cause) {
      throw activationPending(cause);
    }
  };
}

function askOf(request: breakglass.ActivateBreakglassRequest, policy: BreakglassSettings): Ask {
  const { sealedCode } = request;
  const durationMinutes = request.durationMinutes ?? Math.min(DEFAULT_MINUTES, policy.maximumMinutes);
  if (durationMinutes > policy.maximumMinutes)
    throw ClavigerError.invalid('/durationMinutes', `may be at most ${policy.maximumMinutes}`);
  if (sealedCode === '' && policy.mode === 'sealed-code') throw codeNeeded();
  if (sealedCode !== '' && policy.mode === 'second-person') throw codeNotTaken();
  if (sealedCode !== '' && !isOfflineCode(sealedCode)) throw codeMalformed();
  return { id: randomUUID(), request, durationMinutes };
}

async function open(
  deps: BreakglassDeps,
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  ask: Ask,
): Promise<Opened | Refused> {
  const { userId } = context.actor;
  await requireActiveTenant(tx);
  await requireActiveAccount(tx, userId);
  // Serializes the activations of a person, so that no code is wasted and every wrong guess is counted.
  const { rows } = await sql<{ first: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtextextended('breakglass ' || ${userId}, 0)) AS first`.execute(tx);
  if (!rows[0]!.first) return 'open';
  // A session past its time that no sweep has processed yet must not block a new one.
  await expireSessions(deps, tx, (query) => query.where('user_id', '=', userId));
  const open = await tx
    .selectFrom('breakglass_sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where('state', 'in', ['awaiting-confirmation', 'active'])
    .executeTakeFirst();
  if (open) return 'open';
  const { sealedCode } = ask.request;
  const code = sealedCode === '' ? undefined : await useOfflineCode(tx, context, sealedCode);
  if (code === 'wrong' || (code && 'lockedSeconds' in code)) return code;
  const row = await insert(tx, context, ask, code?.codeId);
  if (!row) throw alreadyOpen();
  await deps.emitter.audit(tx, context, {
    // A session that awaits confirmation is not open yet.
    ...(row.state === 'active' ? {} : { action: 'breakglass.requested' }),
    reason: row.reason,
    details: sessionDetails(row),
  });
  return { row, nowMs: await presentMs(tx) };
}

function insert(
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  { id, request, durationMinutes }: Ask,
  codeId: string | undefined,
): Promise<BreakglassSessionRow | undefined> {
  const { actor, tenantId } = context;
  const openedBy: OpenedBy = codeId ? 'sealed-code' : 'second-person';
  return tx
    .insertInto('breakglass_sessions')
    .values({
      tenant_id: tenantId,
      id,
      state: codeId ? 'active' : 'awaiting-confirmation',
      user_id: actor.userId,
      user_name: actor.userName,
      user_behind: [...(actor.behind ?? [])],
      reason: request.reason,
      all_entries: request.allEntries,
      entry_ids: [...new Set(request.entryIds)],
      resource_ids: [...new Set(request.resourceIds)],
      duration_minutes: durationMinutes,
      opened_by: openedBy,
      code_id: codeId ?? null,
      confirm_until: sql<Date>`now() + make_interval(mins => ${CONFIRM_WITHIN_MINUTES})`,
      ...(codeId ? activatedFor(durationMinutes) : {}),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** The time starts now, by the database's clock. */
export const activatedFor = (durationMinutes: number) => ({
  activated_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
  expires_at: sql<Date>`date_trunc('milliseconds', clock_timestamp()) + make_interval(mins => ${durationMinutes})`,
  sync_wanted: 'place' as const,
  next_sync_at: sql<Date>`clock_timestamp() + make_interval(secs => ${FIRST_TRY_SECONDS})`,
});

/** Without a leader the due queue is not processed, so a repeated call sends the due changes. */
async function syncDueSession(deps: BreakglassDeps, context: CallContext): Promise<void> {
  const due = await deps.database.readTenant(context.tenantId, (reader) =>
    reader
      .selectFrom('breakglass_sessions')
      .select('id')
      .where('user_id', '=', context.actor.userId)
      .where('next_sync_at', '<=', sql<Date>`clock_timestamp()`)
      .executeTakeFirst(),
  );
  const row = due && (await claimSync(deps, { tenantId: context.tenantId, id: due.id }));
  if (!row) return;
  try {
    await syncEmergency(deps, row, context.requestId);
  } catch (error) {
    deps.logger.warn(
      { err: error, sessionId: row.id },
      'auth or the vault has not confirmed an emergency session yet',
    );
  }
}
