import { ConnectorError } from '@claviger/connectors';
import type { vault } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { requireId } from '../ids.ts';
import { giveProbeBack, spendProbe } from '../rotation/probe-budget.ts';
import { connectorContext, credentialOf, loadTarget } from '../targets/load-target.ts';

const DISCOVER_TIMEOUT_MS = 8_000;

/** Reads the accounts of the target with the resource's admin entry, beside those the vault knows. Changes nothing. */
export function discoverAccounts(
  deps: VaultDeps,
): Handler<(typeof vault.ResourcesServiceService)['discoverAccounts']> {
  return async (request, context) => {
    context.auditSubject = { type: 'resource', id: request.resourceId, resourceId: request.resourceId };
    const resourceId = requireId(request.resourceId);
    const target = await deps.database.readTenant(context.tenantId, (reader) =>
      loadTarget(reader, resourceId),
    );
    if (!target.admin) {
      throw new ClavigerError('conflict', 'The resource has no admin entry.', {
        code: 'no_admin_entry',
        hint: 'Give the resource an admin entry that may read its accounts.',
      });
    }
    const { entryId } = target.admin;
    const credential = await credentialOf(target.admin, deps.secrets);
    await spendProbe(deps, context.tenantId, entryId);
    const found = await target.connector
      .discover(target.settings, credential, connectorContext(target, DISCOVER_TIMEOUT_MS, context.signal))
      .catch(async (error: unknown) => {
        const isRefused = error instanceof ConnectorError && error.kind === 'authentication';
        if (!isRefused) await giveProbeBack(deps, context.tenantId, entryId);
        throw fromTarget(error);
      });
    await giveProbeBack(deps, context.tenantId, entryId);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const known = await tx
        .selectFrom('entries')
        .select(['id', 'username'])
        .where('asset_id', '=', resourceId)
        .where('status', '=', 'active')
        .where('username', 'in', found.length > 0 ? found.map((account) => account.username) : [''])
        .execute();
      const ids = new Map(known.map((entry) => [entry.username, entry.id]));
      const items = found.map((account) => ({
        username: account.username,
        privileged: account.privileged,
        canLogin: account.canLogin,
        entryId: ids.get(account.username) ?? '',
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

/** What the target said, without secrets. */
function fromTarget(error: unknown): unknown {
  if (!(error instanceof ConnectorError)) return error;
  return new ClavigerError('conflict', error.message, {
    code: `target_${error.kind}`,
    cause: error,
    ...(error.hint ? { hint: error.hint } : {}),
  });
}
