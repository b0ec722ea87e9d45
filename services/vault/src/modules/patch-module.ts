import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import { changeModule } from './change-module.ts';
import type { ModulesDeps } from './deps.ts';

/** Changes the given fields. */
export function patchModule(deps: ModulesDeps): Handler<typeof vault.ModulesService.patchModule> {
  return (request, context) => changeModule(deps, context, request);
}
