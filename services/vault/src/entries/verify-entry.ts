import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import { UNIFORM_PROBLEM, untilUniform } from '@claviger/outbound';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { accountAt } from '../accounts/account-at.ts';
import { recordRefusal, returnProbe, spendProbe } from '../accounts/probe-budget.ts';
import { requireAccess } from '../rights/require-access.ts';
import { connectorOf } from '../targets/connector-of.ts';
import { connectorContext, encryptedAccount, loadTarget } from '../targets/load-target.ts';
import { maySeeReachability, UNIFORM_HINT } from '../targets/target-answer.ts';
import type { EntriesDeps } from './deps.ts';
import { entryById, entrySubject } from './entry-store.ts';

const VERIFY_TIMEOUT_MS = 8_000;
const LOGIN_SECRETS = ['password', 'ssh-key'] as const;

/**
 * Logs in to the target once with the current secret, a password or an SSH private key, within the account's
 * budget of failed logins. Success proves an unproven account. Throws conflict `probe_budget_spent` when a
 * failed login could lock the account.
 */
export function verifyEntry(deps: EntriesDeps): Handler<typeof vault.EntriesService.verifyEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const { entry, secretType, target, account } = await deps.database.readTenant(
      context.tenantId,
      async (reader) => {
        const entry = await entryById(reader, id);
        await requireAccess(reader, context, entry);
        const secretType = LOGIN_SECRETS.find((type) => type === entry.type);
        if (!secretType || !entry.asset_id) throw noAccount();
        // Read before the login: if the entry or its account changes during it, the result is not recorded.
        const account = await encryptedAccount(reader, id);
        const target = await loadTarget(reader, entry.asset_id);
        if (!account) throw ClavigerError.notFound();
        if (secretType === 'ssh-key' && target.type !== 'ssh') throw noAccount();
        return { entry, secretType, target, account };
      },
    );
    const { username, accountId } = account;
    const secret = await deps.secrets.decrypt(account.version);
    const login = accountAt(target, username);
    const version = account.version.version;
    await spendProbe(deps, context.tenantId, login);
    const startedAt = performance.now();
    const ctx = connectorContext(deps, target, VERIFY_TIMEOUT_MS, context.signal);
    const result = await connectorOf(deps, context.tenantId, target)
      .verify(target.settings, { username, secretType }, secret, ctx)
      .catch(async (error: unknown) => {
        await returnProbe(deps, context.tenantId, login);
        throw error;
      });
    if (result.outcome === 'refused') await recordRefusal(deps, context.tenantId, login);
    else {
      const accepted = result.outcome === 'accepted' ? { entryId: id, version } : undefined;
      await returnProbe(deps, context.tenantId, login, accepted);
    }
    const problem = result.outcome === 'accepted' ? '' : result.reason;
    if (problem)
      deps.logger.warn(
        { requestId: context.requestId, entryId: id, problem },
        'an entry could not be verified',
      );
    await deps.database.withTenant(context.tenantId, async (tx) => {
      // The login proves nothing about an account that was renamed or moved during it.
      const verified =
        result.outcome === 'accepted'
          ? await tx
              .updateTable('entries')
              .set({ last_verified_at: sql<Date>`now()`, unproven: false })
              .where('id', '=', id)
              .where('current_version', '=', version)
              .where('account_id', 'is not distinct from', accountId)
              .returning('id')
              .executeTakeFirst()
          : undefined;
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        details: {
          version,
          outcome: result.outcome,
          ...(account.unproven && verified ? { proved: true } : {}),
          ...(problem ? { problem } : {}),
        },
      });
    });
    if (result.outcome === 'unknown' && !maySeeReachability(context)) {
      await untilUniform(startedAt, VERIFY_TIMEOUT_MS, context.signal);
      return { outcome: result.outcome, problem: UNIFORM_PROBLEM, hint: UNIFORM_HINT };
    }
    const hint = result.outcome === 'accepted' ? '' : (result.hint ?? '');
    return { outcome: result.outcome, problem, hint };
  };
}

function noAccount(): ClavigerError {
  return new ClavigerError('conflict', 'This entry is not an account that a connector can log in to.', {
    code: 'not_an_account',
    hint: 'The vault can verify passwords of a resource with a module, and keys if the module is of type ssh.',
  });
}
