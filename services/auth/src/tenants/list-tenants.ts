import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { likeTerm, pageOf, type SortFields, type TenantStatus } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { TenantsDeps } from './deps.ts';
import { tenantMessage, tenantsQuery } from './tenant-view.ts';

const SORT: SortFields = {
  name: { column: 'tenants.name', type: 'text' },
  createdAt: { column: 'tenants.created_at', type: 'timestamptz' },
  status: { column: 'tenants.status', type: 'text' },
};

/** Lists all tenants with the system role; each call records an event. */
export function listTenants(deps: TenantsDeps): Handler<typeof tenants.TenantsService.listTenants> {
  return async (request, context) => {
    const page = await deps.database.acrossTenants((tx) => {
      let query = tenantsQuery(tx);
      if (request.status) {
        const status = request.status as TenantStatus;
        query = query.where('tenants.status', '=', status);
      }
      if (request.search) {
        const term = likeTerm(request.search);
        query = query.where(({ or, eb }) =>
          or([eb('tenants.name', 'ilike', term), eb('tenants.display_name', 'ilike', term)]),
        );
      }
      return pageOf({
        request,
        query,
        sort: SORT,
        // Sort new tenants last, so that pages do not shift while a client reads them.
        defaultSort: 'createdAt',
        tieBreaker: { column: 'tenants.id', type: 'uuid' },
        map: tenantMessage,
      });
    });
    await deps.database.withTenant(context.tenantId, (tx) =>
      deps.emitter.audit(tx, context, {
        subject: { type: 'tenants', id: '' },
        details: { status: request.status, search: request.search, shown: page.items.length },
      }),
    );
    return page;
  };
}
