import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { deliverAccountStatus } from '../account-status/deliver-account-status.ts';
import { queueAccountStatus } from '../account-status/queue-account-status.ts';
import { lockAdministration } from '../roles/roles-store.ts';
import type { AuthSchema } from '../schema.ts';
import { notifyGateways } from '../tenants/end-all-access.ts';
import type { UsersDeps } from './deps.ts';
import { endAccess } from './end-access.ts';
import { requireCurrentActor, requireNotAbove, requirePerson } from './user-permissions.ts';
import { lockUser, readUser } from './users-store.ts';

/**
 * Makes a person (the actor by default) responsible for a machine identity. The former person knows its
 * tokens and requested its grants, so both end. The actor must hold all permissions of its roles, so nobody
 * gains permissions.
 */
export function setResponsiblePerson(
  deps: UsersDeps,
): Handler<typeof auth.UsersService.setResponsiblePerson> {
  return async (request, context) => {
    requirePerson(context);
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    const { tenantId } = context;
    const responsibleId = request.responsibleId === '' ? context.actor.userId : request.responsibleId;
    const { user, ended } = await deps.database.withTenant(tenantId, async (tx) => {
      await lockAdministration(tx);
      const machine = await lockUser(tx, userId);
      const holds = await requireCurrentActor(tx, context);
      if (machine.kind !== 'machine') {
        throw new ClavigerError('conflict', 'Only machine identities have a responsible person.', {
          code: 'not_a_machine',
          hint: 'Use the id of a machine identity.',
        });
      }
      await requireNotAbove(tx, context, holds, userId);
      await requireLivingPerson(tx, responsibleId);
      await tx
        .updateTable('users')
        .set({
          responsible_id: responsibleId,
          updated_at: sql`now()`,
          row_version: sql`row_version + 1`,
        })
        .where('id', '=', userId)
        .execute();
      const endedAccess = await endAccess(tx, userId, 'responsible-person-changed');
      await queueAccountStatus(tx, {
        userId,
        ends: true,
        cause: 'The responsible person of the machine identity changed.',
        changedBy: context.actor.userId,
      });
      await deps.emitter.audit(tx, context, {
        details: {
          username: machine.username,
          responsibleId,
          responsibleIdBefore: machine.responsibleId ?? '',
        },
      });
      return { user: await readUser(tx, userId), ended: endedAccess };
    });
    await notifyGateways(deps, ended);
    await deliverAccountStatus(deps, tenantId, userId);
    return { user };
  };
}

async function requireLivingPerson(tx: Tx<AuthSchema>, id: string): Promise<void> {
  const person = await tx
    .selectFrom('users')
    .select('id')
    .where('id', '=', id)
    .where('kind', '=', 'person')
    .where('status', '=', 'active')
    .where('deleted_at', 'is', null)
    .forKeyShare()
    .executeTakeFirst();
  if (!person) throw ClavigerError.invalid('/responsibleId', 'must be the id of an active person');
}
