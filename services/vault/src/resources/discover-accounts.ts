import { setImmediate } from 'node:timers/promises';
import { ConnectorError, type DiscoveredAccount } from '@claviger/connectors';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import { UNIFORM_PROBLEM, untilUniform } from '@claviger/outbound';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { accountAt, accountsAt } from '../accounts/account-at.ts';
import { recordRefusal, returnProbe, spendProbe } from '../accounts/probe-budget.ts';
import { requireAccountUse } from '../rights/require-account-use.ts';
import { connectorOf } from '../targets/connector-of.ts';
import {
  connectorContext,
  credentialOf,
  loadTarget,
  storedSecret,
  type Target,
  usableAdmin,
} from '../targets/load-target.ts';
import { isReachabilityProblem, maySeeReachability, UNIFORM_HINT } from '../targets/target-answer.ts';
import type { ResourcesDeps } from './deps.ts';

const DISCOVER_TIMEOUT_MS = 8_000;

/**
 * Reads the accounts of the target with the resource's admin entry, and matches them with the vault's
 * entries. Changes nothing.
 */
export function discoverAccounts(
  deps: ResourcesDeps,
): Handler<typeof vault.ResourcesService.discoverAccounts> {
  return async (request, context) => {
    context.auditSubject = { type: 'resource', id: request.resourceId, resourceId: request.resourceId };
    const resourceId = request.resourceId;
    const { target, admin } = await deps.database.readTenant(context.tenantId, async (reader) => {
      const target = await loadTarget(reader, resourceId);
      const admin = usableAdmin(target);
      if (admin) {
        await requireAccountUse(reader, context, { owner_id: target.ownerId }, admin.entryId, 'view');
      }
      return { target, admin };
    });
    if (!admin) {
      throw new ClavigerError('conflict', 'The resource has no admin entry.', {
        code: 'no_admin_entry',
        hint: 'Give the resource an admin entry that can read its accounts.',
      });
    }
    const login = accountAt(target, admin.username);
    const credential = await credentialOf(admin, deps.secrets);
    await spendProbe(deps, context.tenantId, login);
    const startedAt = performance.now();
    const ctx = connectorContext(deps, target, DISCOVER_TIMEOUT_MS, context.signal);
    const found = await connectorOf(deps, context.tenantId, target)
      .discover(target.settings, credential, ctx)
      .catch(async (error: unknown) => {
        const isRefused = error instanceof ConnectorError && error.kind === 'authentication';
        if (isRefused) await recordRefusal(deps, context.tenantId, login);
        else await returnProbe(deps, context.tenantId, login);
        if (error instanceof ConnectorError)
          deps.logger.warn(
            { requestId: context.requestId, resourceId, problem: error.message },
            'the accounts of a target could not be read',
          );
        if (
          !(error instanceof ConnectorError) ||
          !isReachabilityProblem(error.kind) ||
          maySeeReachability(context)
        )
          throw fromTarget(error);
        await untilUniform(startedAt, DISCOVER_TIMEOUT_MS, context.signal);
        throw new ClavigerError('conflict', UNIFORM_PROBLEM, { code: 'target_unusable', hint: UNIFORM_HINT });
      });
    await returnProbe(deps, context.tenantId, login, storedSecret(admin));
    const keys = await keysOf(target, found);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const known = await tx
        .selectFrom('entries')
        .innerJoin('accounts', 'accounts.id', 'entries.account_id')
        .select(['entries.id', 'accounts.account_key'])
        .where('entries.status', '=', 'active')
        .where('accounts.target_key', '=', login.target)
        .where(sql<boolean>`accounts.account_key = ANY (${[...keys.values()]})`)
        // Prefers passwords to keys, and holders of an account to linked entries.
        .orderBy('entries.type', 'desc')
        .orderBy('entries.account_linked', 'desc')
        .execute();
      const ids = new Map(known.map((entry) => [entry.account_key, entry.id]));
      const items = found.map((account) => ({
        username: account.username,
        privileged: account.privileged,
        canLogin: account.canLogin,
        entryId: ids.get(keys.get(account.username) ?? '') ?? '',
        details: {
          ...account.details,
          ...(account.lastPasswordChange ? { lastPasswordChange: account.lastPasswordChange } : {}),
        },
      }));
      await deps.emitter.audit(tx, context, {
        subject: { type: 'resource', id: resourceId, resourceId },
        details: { accounts: items.length, unknown: items.filter((item) => !item.entryId).length },
      });
      return { items };
    });
  };
}

/**
 * The account keys, computed in batches of 200: a target may list 20,000 accounts, and other calls must not
 * wait.
 */
async function keysOf(
  target: Target,
  found: readonly DiscoveredAccount[],
): Promise<ReadonlyMap<string, string>> {
  const keyOf = accountsAt(target);
  const keys = new Map<string, string>();
  for (const [at, { username }] of found.entries()) {
    if (at % 200 === 199) await setImmediate();
    keys.set(username, keyOf(username).account);
  }
  return keys;
}

/** The target's error without secrets. */
function fromTarget(error: unknown): unknown {
  if (!(error instanceof ConnectorError)) return error;
  return new ClavigerError('conflict', error.message, {
    code: `target_${error.kind}`,
    cause: error,
    ...(error.hint ? { hint: error.hint } : {}),
  });
}
