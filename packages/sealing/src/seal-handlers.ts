import type * as contract from '@claviger/contracts/cluster/v1/seal';
import type { CallContext, Handlers } from '@claviger/service-kit';
import type { CanaryStore } from './canary-store.ts';
import type { Seal } from './seal.ts';

export interface SealHandlersOptions {
  readonly service: string;
  readonly node: string;
  readonly seal: Seal;
  readonly canary: CanaryStore;
  readonly logger: { warn(fields: object, message: string): void };
  /** Writes an audit event of the call in a tenant. */
  readonly record: (
    context: CallContext,
    tenantId: string,
    event: {
      action: string;
      outcome: 'allowed' | 'failed';
      reason?: string;
      details: Record<string, unknown>;
    },
  ) => Promise<void>;
  /** The platform tenant, once it exists; only auth knows it. */
  readonly platformTenant?: () => Promise<string | undefined>;
}

/** The seal operations of operators. Sealing takes effect before any access to the database. */
export function sealHandlers(options: SealHandlersOptions): Handlers<typeof contract.SealService> {
  const { seal, service, node } = options;
  const state = async (platformTenantId = ''): Promise<contract.SealState> => ({
    service,
    node,
    ...seal.status(),
    initialised: await options.canary.read().then(
      (stored) => stored !== undefined,
      () => true,
    ),
    platformTenantId,
  });
  const platformTenant = async (): Promise<string | undefined> => {
    try {
      return await options.platformTenant?.();
    } catch (error) {
      options.logger.warn({ err: error }, 'cannot look up the platform tenant');
      return undefined;
    }
  };
  /** Sealing must not wait for the audit log; a failure to record it is only logged. */
  const recorded = async (
    context: CallContext,
    action: string,
    details: Record<string, unknown>,
    failure?: unknown,
  ): Promise<void> => {
    try {
      const tenantId = context.hasTenant ? context.tenantId : await platformTenant();
      if (tenantId === undefined)
        return options.logger.warn(
          { action, node, ...details },
          'not recorded in the audit log: the tenant is unknown',
        );
      context.auditTenantId = tenantId;
      await options.record(context, tenantId, {
        action,
        details: { node, ...details },
        ...(failure === undefined
          ? { outcome: 'allowed' }
          : { outcome: 'failed', reason: (failure as { code?: string }).code ?? 'failed' }),
      });
    } catch (error) {
      options.logger.warn(
        { err: error, action, node, ...details },
        'not recorded in the audit log: writing failed',
      );
    }
  };
  return {
    getSeal: async () => ({ seal: await state((await platformTenant()) ?? '') }),
    submitShare: async (request, context) => {
      const { index, threshold, keyCheck, data, initialise } = request;
      const sealed = seal.status().state !== 'open';
      const details = { share: index, needed: threshold, keyCheck, initialise };
      try {
        await seal.submitShare({ index, threshold, keyCheck, data: Buffer.from(data) }, { initialise });
      } catch (error) {
        await recorded(context, 'seal.share-submitted', details, error);
        throw error;
      } finally {
        data.fill(0);
      }
      if (sealed) {
        const opened = seal.status().state === 'open';
        await recorded(context, opened ? 'seal.opened' : 'seal.share-submitted', details);
      }
      return { seal: await state() };
    },
    discardShares: async (_, context) => {
      const { sharesGiven } = seal.status();
      seal.discardShares();
      await recorded(context, 'seal.shares-discarded', { sharesGiven });
      return { seal: await state() };
    },
    closeSeal: async (_, context) => {
      seal.close();
      await recorded(context, 'seal.closed', {});
      return { seal: await state() };
    },
    openSeal: async (_, context) => {
      await seal.reopen();
      await recorded(context, 'seal.opened', { state: seal.status().state });
      return { seal: await state() };
    },
  };
}
