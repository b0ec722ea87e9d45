import { isDeepStrictEqual } from 'node:util';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, permits } from '@claviger/service-kit';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { VaultTx } from '../deps.ts';
import type { VaultSchema } from '../schema.ts';

/** What decides which host is given the secrets of a resource's accounts. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly moduleId: string | null;
  readonly settings: object;
  readonly adminEntryId: string | null;
}

/**
 * Logging in gives a secret to the host. Whoever says which host that is must therefore be allowed to see the secret: else a
 * host of one's own would disclose it, past every grant and without a record. Throws `denied`.
 */
export async function requireMaySend(
  tx: VaultTx,
  context: CallContext,
  resourceId: string,
  before: Destination | undefined,
  after: Destination,
): Promise<void> {
  const { adminEntryId: formerAdmin, ...formerAddress } = before ?? { adminEntryId: null };
  const { adminEntryId, ...address } = after;
  const movesAccounts = !isDeepStrictEqual(formerAddress, address);
  const sendsAdmin = adminEntryId !== null && (movesAccounts || adminEntryId !== formerAdmin);
  if (!(movesAccounts || sendsAdmin)) return;
  await requireVisible(tx, context, (eb) =>
    eb.or([
      ...(movesAccounts ? [eb('asset_id', '=', resourceId)] : []),
      ...(sendsAdmin ? [eb('id', '=', adminEntryId)] : []),
    ]),
  );
}

/**
 * The same for what all resources of a module have in common: the port, whom to believe, and where in a request a secret
 * stands. Throws `denied`.
 */
export async function requireMaySendOfModule(
  tx: VaultTx,
  context: CallContext,
  moduleId: string,
): Promise<void> {
  await requireVisible(tx, context, (eb) => {
    const resources = eb.selectFrom('assets').where('assets.module_id', '=', moduleId);
    return eb.or([
      eb('asset_id', 'in', resources.select('assets.id')),
      eb('id', 'in', resources.select('assets.admin_entry_id')),
    ]);
  });
}

/** Throws unless the actor may see the secrets of all these entries. */
async function requireVisible(
  tx: VaultTx,
  context: CallContext,
  which: (eb: ExpressionBuilder<VaultSchema, 'entries'>) => Expression<SqlBool>,
): Promise<void> {
  const { actor } = context;
  if (permits(actor.permissions, 'vault.entries.retrieve-any')) return;
  const hidden = await tx
    .selectFrom('entries')
    .select('id')
    .where('status', '=', 'active')
    .where(which)
    .where((eb) =>
      eb.or([
        eb('requires_grant', '=', true),
        eb.and([
          eb('created_by', '<>', actor.userId),
          eb.not(
            eb.exists(
              eb
                .selectFrom('shares')
                .select(sql`1`.as('one'))
                .whereRef('shares.entry_id', '=', 'entries.id')
                .where('shares.user_id', '=', actor.userId),
            ),
          ),
        ]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  if (!hidden) return;
  throw new ClavigerError('denied', 'This would give a host secrets that you may not see.', {
    code: 'secrets_not_visible',
    hint: 'Ask somebody with vault.entries.retrieve-any to change where this resource is reached.',
  });
}
