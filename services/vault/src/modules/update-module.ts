import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { changeModule } from './change-module.ts';

/** Replaces name and configuration. */
export function updateModule(deps: VaultDeps): Handler<typeof vault.ModulesService.updateModule> {
  return (request, context) => changeModule(deps, context, { ...request, config: request.config ?? {} });
}
