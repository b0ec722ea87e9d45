import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import type { ModulesDeps } from './deps.ts';
import { moduleById, toModule } from './module-store.ts';

export function getModule(deps: ModulesDeps): Handler<typeof vault.ModulesService.getModule> {
  return async (request, context) => {
    const id = request.moduleId;
    const row = await deps.database.readTenant(context.tenantId, (reader) => moduleById(reader, id));
    return { module: toModule(row, context) };
  };
}
