import { randomUUID } from 'node:crypto';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import { parseModuleConfig } from '../targets/module-config.ts';
import { withUniqueName } from '../unique-names.ts';
import type { ModulesDeps } from './deps.ts';
import { moduleById, toModule } from './module-store.ts';

export function createModule(deps: ModulesDeps): Handler<typeof vault.ModulesService.createModule> {
  return async (request, context) => {
    parseModuleConfig(request.type, request.config);
    return withUniqueName('a module', () =>
      deps.database.withTenant(context.tenantId, async (tx) => {
        const id = randomUUID();
        await tx
          .insertInto('modules')
          .values({
            tenant_id: context.tenantId,
            id,
            name: request.name,
            type: request.type,
            config: JSON.stringify(request.config ?? {}),
            created_by: context.actor.userId,
          })
          .execute();
        await deps.emitter.audit(tx, context, { subject: { type: 'module', id }, request });
        return { module: toModule(await moduleById(tx, id), context) };
      }),
    );
  };
}
