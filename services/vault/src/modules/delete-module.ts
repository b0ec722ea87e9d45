import type * as vault from '@claviger/contracts/vault/v1/vault';
import { isForeignKeyViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requireRowVersion } from '../ids.ts';
import type { ModulesDeps } from './deps.ts';

/** Refused while a resource uses the module. */
export function deleteModule(deps: ModulesDeps): Handler<typeof vault.ModulesService.deleteModule> {
  return async (request, context) => {
    context.auditSubject = { type: 'module', id: request.moduleId };
    const id = request.moduleId;
    try {
      await deps.database.withTenant(context.tenantId, async (tx) => {
        const gone = await tx
          .deleteFrom('modules')
          .where('id', '=', id)
          .returning(['name', 'row_version'])
          .executeTakeFirst();
        if (!gone) throw ClavigerError.notFound();
        // A mismatch rolls the deletion back.
        requireRowVersion(request.rowVersion, gone.row_version);
        await deps.emitter.audit(tx, context, {
          subject: { type: 'module', id },
          details: { name: gone.name },
        });
      });
    } catch (error) {
      if (!isForeignKeyViolation(error)) throw error;
      throw new ClavigerError('conflict', 'Resources still use this module.', {
        code: 'in_use',
        hint: 'Give the resources another module first.',
      });
    }
    return {};
  };
}
