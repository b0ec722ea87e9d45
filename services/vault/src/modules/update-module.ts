import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import { changeModule } from './change-module.ts';
import type { ModulesDeps } from './deps.ts';

/** Replaces name and configuration. */
export function updateModule(deps: ModulesDeps): Handler<typeof vault.ModulesService.updateModule> {
  return (request, context) => changeModule(deps, context, { ...request, config: request.config ?? {} });
}
