import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, type Handler, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import { transactionTimeMs } from '../database-clock.ts';
import type { GrantRow } from '../schema.ts';
import type { GrantsDeps } from './deps.ts';
import { grantStatusAt } from './grant-view.ts';

/**
 * Delivers the credentials to the grantee. The vault decides in its own transaction and writes its own
 * record; the checks here only avoid calls that would fail.
 */
export function getGrantCredentials(
  deps: GrantsDeps,
): Handler<typeof workflow.GrantsService.getGrantCredentials> {
  return async (request, context) => {
    const grant = await usableGrant(deps, context, request.grantId);
    const delivered = await deps.vault.deliverCredentials(
      { grantId: grant.id },
      {
        actorToken: context.actorToken,
        requestId: context.requestId,
        sourceAddress: context.sourceAddress,
        deadline: context.deadline,
        signal: context.signal,
      },
    );
    await markDelivered(deps, context, grant, delivered.version);
    return { ...delivered, grantId: grant.id, expiresAt: grant.expires_at.toISOString() };
  };
}

async function usableGrant(deps: GrantsDeps, context: CallContext, id: string): Promise<GrantRow> {
  context.auditSubject = { type: 'grant', id };
  return deps.database.readTenant(context.tenantId, async (reader) => {
    const grant = await reader.selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst();
    if (!grant) throw ClavigerError.notFound();
    const { actor } = context;
    if (grant.user_id !== actor.userId) {
      if (!permits(actor.permissions, 'grants.read-all')) throw ClavigerError.notFound();
      throw new ClavigerError('denied', 'Only the grantee can retrieve the credentials.', {
        code: 'not_grantee',
      });
    }
    context.auditSubject = {
      type: 'grant',
      id,
      ...(grant.resource_id ? { resourceId: grant.resource_id } : {}),
    };
    const status = grantStatusAt(grant, await transactionTimeMs(reader));
    if (status === 'activating') {
      throw new ClavigerError('conflict', 'The grant is not active yet.', {
        code: 'wrong_status',
        hint: 'The vault has not confirmed the grant yet. Try again in a few seconds.',
      });
    }
    if (status !== 'active') {
      throw new ClavigerError('conflict', `The grant is ${status}.`, {
        code: 'wrong_status',
        hint: 'Request access again.',
      });
    }
    if (grant.one_time && grant.credentials_delivered_at) {
      throw new ClavigerError('conflict', 'The credentials of this grant have already been delivered.', {
        code: 'already_delivered',
        hint: 'If you did not receive them, have the grant revoked, which rotates them, and request access again.',
      });
    }
    return grant;
  });
}

async function markDelivered(
  deps: GrantsDeps,
  context: CallContext,
  grant: GrantRow,
  version: number,
): Promise<void> {
  try {
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await tx
        .updateTable('grants')
        .set({ credentials_delivered_at: sql<Date>`date_trunc('milliseconds', now())` })
        .where('id', '=', grant.id)
        .where('credentials_delivered_at', 'is', null)
        .execute();
      await deps.emitter.audit(tx, context, {
        details: { entryId: grant.entry_id, accessRequestId: grant.request_id, version },
      });
    });
  } catch (error) {
    // The vault has already recorded the disclosure, and this is the only copy of the credentials: they are
    // returned even if the grant cannot be marked as delivered.
    context.audited = true;
    deps.logger.error(
      { err: error, grantId: grant.id, requestId: context.requestId },
      'a delivery could not be marked on its grant; the vault has recorded it',
    );
  }
}
