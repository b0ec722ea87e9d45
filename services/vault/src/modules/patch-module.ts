import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { changeModule } from './change-module.ts';

/** Changes only what is given. */
export function patchModule(deps: VaultDeps): Handler<typeof vault.ModulesService.patchModule> {
  return (request, context) => changeModule(deps, context, request);
}
